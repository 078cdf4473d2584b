// The phone's camera as a scanner: codes are read by the browser itself or, where it cannot, by the reader that ships
// with this host, which is loaded when the camera is first opened.
"use strict";
(() => {
  const the = (id) => document.getElementById(id);
  const FORMATS = ["qr_code", "data_matrix", "code_128", "ean_13", "ean_8", "upc_a", "itf"];
  const SAME_MS = 2500; // a code that is held before the camera counts once
  if (!navigator.mediaDevices || !window.isSecureContext) return;

  let stream = null;
  let seen = { text: "", at: 0 };
  const stop = () => {
    for (const track of stream ? stream.getTracks() : []) track.stop();
    stream = null;
  };
  const watch = async (reader) => {
    if (!stream) return;
    const found = await reader.read(the("video")).catch(() => []);
    for (const { text } of found.slice(0, 1)) {
      if (text !== seen.text || Date.now() - seen.at > SAME_MS) {
        seen = { text, at: Date.now() };
        await station.scan(text);
      } else {
        seen.at = Date.now();
      }
    }
    setTimeout(() => watch(reader), 120);
  };
  const open = async () => {
    const reading = suyuan.openReader(FORMATS);
    reading.catch(() => {}); // said below
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
    });
    the("video").srcObject = stream;
    await the("video").play();
    the("camera").show(); // not modal: the state above stays in sight
    const reader = await reading;
    the("camera").dataset.reader = reader.kind;
    watch(reader);
  };
  const fail = () => {
    stop();
    the("camera").close();
    station.desk.refuse("station.camera");
  };
  the("camera-open").hidden = false;
  the("camera-open").addEventListener("click", () => open().catch(fail));
  the("camera").addEventListener("close", stop);
})();
