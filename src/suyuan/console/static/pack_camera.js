// The phone's camera as a scanner, where the browser can read codes by itself; elsewhere the key stays hidden.
"use strict";
(() => {
  const the = (id) => document.getElementById(id);
  const FORMATS = ["qr_code", "data_matrix", "code_128", "ean_13", "ean_8", "upc_a", "itf"];
  const SAME_MS = 2500; // a code that is held before the camera counts once
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices) return;

  let stream = null;
  let seen = { text: "", at: 0 };
  const stop = () => {
    for (const track of stream ? stream.getTracks() : []) track.stop();
    stream = null;
  };
  const watch = async (detector) => {
    if (!stream) return;
    const found = await detector.detect(the("video")).catch(() => []);
    for (const { rawValue } of found.slice(0, 1)) {
      if (rawValue !== seen.text || Date.now() - seen.at > SAME_MS) {
        seen = { text: rawValue, at: Date.now() };
        await station.scan(rawValue);
      } else {
        seen.at = Date.now();
      }
    }
    setTimeout(() => watch(detector), 120);
  };
  const open = async () => {
    const known = await BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((one) => known.includes(one));
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    the("video").srcObject = stream;
    await the("video").play();
    the("camera").show(); // not modal: the state above stays in sight
    watch(new BarcodeDetector({ formats }));
  };
  the("camera-open").hidden = false;
  the("camera-open").addEventListener("click", () => open().catch(stop));
  the("camera").addEventListener("close", stop);
})();
