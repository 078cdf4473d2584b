// The camera and what is measured on its picture: how large the code is, how bright, how sharp, how it lies.
"use strict";
window.suyuan = window.suyuan || {};
(() => {
  const SAMPLE = 128; // so many pixels a side of the code's middle are judged, as they are
  const patch = Object.assign(document.createElement("canvas"), { width: SAMPLE, height: SAMPLE });
  const patchContext = patch.getContext("2d", { willReadFrequently: true });

  const sizeOf = (source) => ({ width: source.videoWidth || source.width, height: source.videoHeight || source.height });
  const span = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

  // Opens the camera at the back with as many pixels as it gives, sharp at arm's length if it can be told to.
  const open = async (video) => {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 4096 }, height: { ideal: 2160 } },
    });
    const [track] = stream.getVideoTracks();
    const can = track.getCapabilities ? track.getCapabilities() : {};
    const { width, height } = track.getSettings ? track.getSettings() : {};
    const set = (wish) => track.applyConstraints({ advanced: [wish] }).then(() => true, () => false);
    if ((can.focusMode || []).includes("continuous")) await set({ focusMode: "continuous" });
    video.srcObject = stream;
    await video.play();
    return {
      hasTorch: Boolean(can.torch),
      torch: (on) => (can.torch ? set({ torch: on }) : Promise.resolve(false)),
      // Phones see nothing sharp from so near that a label fills the picture: the middle of the picture does instead,
      // as long as the sensor has more pixels than the picture.
      near: () => (can.zoom && can.zoom.max > 1 && Math.min(width, height) < 1500 ? set({ zoom: Math.min(can.zoom.max, 2) }) : Promise.resolve(false)),
      // How many times the pixels of the live picture, along a side, a still photo has; 1 where the browser takes none.
      gain: async () => {
        if (!("ImageCapture" in window) || !width) return 1;
        try {
          const most = await new ImageCapture(track).getPhotoCapabilities();
          return Math.max(1, Math.max(most.imageWidth.max, most.imageHeight.max) / Math.max(width, height));
        } catch (error) {
          return 1;
        }
      },
      // A still photo has more pixels than the live picture; null where the browser takes none.
      photo: async () => {
        if (!("ImageCapture" in window)) return null;
        try {
          return await createImageBitmap(await new ImageCapture(track).takePhoto());
        } catch (error) {
          return null;
        }
      },
      ended: (what) => track.addEventListener("ended", what),
      close: () => {
        for (const one of stream.getTracks()) one.stop();
        video.srcObject = null;
      },
    };
  };

  // Where a code lies: its middle, the length of its sides in pixels, the box around it.
  const placeOf = ({ corners }) => {
    const [a, b, c, d] = corners;
    const xs = corners.map(({ x }) => x);
    const ys = corners.map(({ y }) => y);
    return {
      side: (span(a, b) + span(b, c) + span(c, d) + span(d, a)) / 4,
      x: (Math.min(...xs) + Math.max(...xs)) / 2,
      y: (Math.min(...ys) + Math.max(...ys)) / 2,
      left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys),
    };
  };

  // How a code looks: light is that of its paper (0 to 255), glare the share that is blown out, sharp how steep its
  // edges are against its own contrast.
  const looksOf = (source, { x, y, side }) => {
    const part = Math.min(SAMPLE, side * 0.7);
    patchContext.drawImage(source, x - part / 2, y - part / 2, part, part, 0, 0, SAMPLE, SAMPLE);
    const { data } = patchContext.getImageData(0, 0, SAMPLE, SAMPLE);
    const grey = new Float32Array(SAMPLE * SAMPLE);
    let blown = 0;
    for (let i = 0; i < grey.length; i += 1) {
      grey[i] = 0.3 * data[4 * i] + 0.59 * data[4 * i + 1] + 0.11 * data[4 * i + 2];
      if (data[4 * i] > 252 && data[4 * i + 1] > 252 && data[4 * i + 2] > 252) blown += 1;
    }
    const sorted = Float32Array.from(grey).sort();
    const dark = sorted[Math.floor(grey.length * 0.1)];
    const light = sorted[Math.floor(grey.length * 0.9)];
    let steep = 0;
    for (let y = 1; y < SAMPLE - 1; y += 1) {
      for (let x = 1; x < SAMPLE - 1; x += 1) {
        const i = y * SAMPLE + x;
        const bend = 4 * grey[i] - grey[i - 1] - grey[i + 1] - grey[i - SAMPLE] - grey[i + SAMPLE];
        steep += bend * bend;
      }
    }
    return { light, contrast: light - dark, glare: blown / grey.length, sharp: steep / Math.max(1, (light - dark) ** 2) };
  };

  // A copy of a part of the picture (all of it without ``part``), at most ``longest`` pixels a side, on a canvas of its
  // own or on ``canvas``.
  const copyOf = (source, longest, part, canvas = document.createElement("canvas")) => {
    const { width, height } = sizeOf(source);
    const { left, top, right, bottom } = part || { left: 0, top: 0, right: width, bottom: height };
    const scale = Math.min(1, longest / Math.max(right - left, bottom - top));
    canvas.width = Math.round((right - left) * scale);
    canvas.height = Math.round((bottom - top) * scale);
    canvas.getContext("2d").drawImage(source, left, top, right - left, bottom - top, 0, 0, canvas.width, canvas.height);
    return canvas;
  };
  // The box around a code, wider by ``margin`` of its sides, within the picture.
  const around = (source, place, margin) => {
    const { width, height } = sizeOf(source);
    const more = place.side * margin;
    return {
      left: Math.max(0, Math.floor(place.left - more)), top: Math.max(0, Math.floor(place.top - more)),
      right: Math.min(width, Math.ceil(place.right + more)), bottom: Math.min(height, Math.ceil(place.bottom + more)),
    };
  };
  const jpegOf = (canvas, quality) => new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));

  window.suyuan.camera = { open, sizeOf, placeOf, looksOf, copyOf, around, jpegOf };
})();
