// Right and wrong for the ear and the hand: two rising tones, or a low buzz.
"use strict";
window.station = window.station || {};
(() => {
  let context = null;
  const tone = (at, seconds, pitch, shape, loud) => {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.type = shape;
    oscillator.frequency.value = pitch;
    gain.gain.setValueAtTime(loud, at);
    gain.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + seconds);
  };
  const TUNES = {
    good: [[0, 0.09, 1047, "sine", 0.4]],
    done: [[0, 0.1, 1047, "sine", 0.5], [0.1, 0.22, 1568, "sine", 0.5]],
    wrong: [[0, 0.28, 165, "square", 0.6], [0.32, 0.4, 123, "square", 0.6]],
    note: [[0, 0.12, 660, "triangle", 0.5], [0.16, 0.12, 660, "triangle", 0.5]],
  };
  const BUZZ = { good: 30, done: [40, 40, 80], wrong: [250, 80, 250], note: [60, 60, 60] };
  station.sounds = [];
  // Plays one of good, done, wrong, note. The last ones are kept, for whoever wants to know what was heard.
  station.sound = (name) => {
    station.sounds = [...station.sounds.slice(-19), name];
    if (localStorage.getItem("pack.silent") === "1") return;
    if (navigator.vibrate) navigator.vibrate(BUZZ[name]);
    try {
      context = context || new AudioContext();
      if (context.state === "suspended") context.resume();
      for (const [wait, ...rest] of TUNES[name]) tone(context.currentTime + wait, ...rest);
    } catch (error) {
      // A device without sound still shows the word.
    }
  };
})();
