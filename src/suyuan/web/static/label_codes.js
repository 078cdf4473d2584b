// Reads codes off a picture: by the browser itself where it can, else by the reader that this host ships, which is
// loaded when it is first needed. Its addresses stand in the data of this script's own element.
"use strict";
window.suyuan = window.suyuan || {};
(() => {
  const { reader: scriptPath, wasm: wasmPath } = document.currentScript.dataset;
  // The browser's names of the forms of codes, and the shipped reader's.
  const NAMES = {
    qr_code: "QRCode", data_matrix: "DataMatrix", code_128: "Code128", ean_13: "EAN13", ean_8: "EAN8", upc_a: "UPCA",
    itf: "ITF",
  };
  const LOOKED_AT = 1024; // pixels a side of what the shipped reader is given

  const native = async (formats) => {
    if (!("BarcodeDetector" in window)) return null;
    // A browser whose system lacks the service has the name of it and reads nothing.
    const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (!formats.every((one) => known.includes(one))) return null;
    const detector = new BarcodeDetector({ formats });
    return async (source) =>
      (await detector.detect(source)).map(({ rawValue, format, cornerPoints }) => ({
        text: rawValue, format, corners: cornerPoints.map(({ x, y }) => ({ x, y })),
      }));
  };

  let loading = null;
  const load = () => {
    loading = loading || new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: scriptPath });
      script.onload = () => {
        ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => wasmPath } });
        // The wasm itself comes with the first reading: a blank picture fetches it now.
        ZXingWASM.readBarcodes(new ImageData(8, 8), { formats: ["QRCode"] }).then(() => done(ZXingWASM), failed);
      };
      script.onerror = () => failed(new Error("the reader of codes cannot be loaded"));
      document.head.append(script);
    }).catch((error) => {
      loading = null; // the next try asks again
      throw error;
    });
    return loading;
  };
  // The part of a picture that is looked at: all of it, or the square in its middle.
  const partOf = (width, height, middle) => {
    const side = Math.min(width, height);
    return middle
      ? { x: (width - side) / 2, y: (height - side) / 2, width: side, height: side }
      : { x: 0, y: 0, width, height };
  };
  const shipped = async (formats, middle) => {
    const { readBarcodes } = await load();
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const options = {
      formats: formats.map((one) => NAMES[one]), maxNumberOfSymbols: 2, textMode: "Plain", tryInvert: false,
      tryHarder: true,
    };
    return async (source) => {
      const width = source.videoWidth || source.width;
      const height = source.videoHeight || source.height;
      if (!width || !height) return [];
      const part = partOf(width, height, middle);
      const scale = Math.min(1, LOOKED_AT / Math.max(part.width, part.height));
      canvas.width = Math.round(part.width * scale);
      canvas.height = Math.round(part.height * scale);
      context.drawImage(source, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
      const found = await readBarcodes(context.getImageData(0, 0, canvas.width, canvas.height), options);
      return found.filter((one) => one.isValid).map(({ text, format, position }) => ({
        text,
        format: formats.find((one) => NAMES[one] === format) || format,
        corners: [position.topLeft, position.topRight, position.bottomRight, position.bottomLeft].map(({ x, y }) => ({
          x: part.x + x / scale, y: part.y + y / scale,
        })),
      }));
    };
  };

  // A reader of these forms: ``read(source)`` gives [{text, format, corners}] of a video or a canvas, corners in its
  // pixels from the code's own top left, clockwise. ``kind`` says who reads. With ``middle`` the shipped reader looks at
  // the square in the middle only, and sees small codes better. Throws where nothing can read.
  window.suyuan.openReader = async (formats, middle = false) => {
    let read = await native(formats);
    const reader = { kind: read ? "native" : "shipped", read: null };
    read = read || (await shipped(formats, middle));
    reader.read = async (source) => {
      try {
        return await read(source);
      } catch (error) {
        // No picture yet says InvalidStateError; a service that is not there breaks with anything else.
        if (reader.kind === "shipped" || error.name === "InvalidStateError") return [];
        reader.kind = "shipped";
        read = await shipped(formats, middle);
        return read(source);
      }
    };
    return reader;
  };
})();
