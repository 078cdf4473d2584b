// What a scan is, as far as a handheld can tell without a server: the forms of GS1 codes, nothing of what they stand for.
"use strict";
window.station = window.station || {};
(() => {
  const STEM = "https://id.gs1.org/";
  const FIXED = { "00": 18, "01": 14, 11: 6, 13: 6, 15: 6, 17: 6 };
  const GS = "\u001d";

  const checked = (digits) => {
    let sum = 0;
    for (let i = digits.length - 2, weight = 3; i >= 0; i -= 1, weight = 4 - weight) sum += Number(digits[i]) * weight;
    return (10 - (sum % 10)) % 10 === Number(digits[digits.length - 1]);
  };
  const encoded = (value) =>
    encodeURIComponent(value).replace(/[!'()*]/g, (one) => "%" + one.charCodeAt(0).toString(16).toUpperCase());

  const named = ({ gtin, serial, lot, sscc }) => {
    if (gtin && serial) return { kind: "item", gtin, serial, lot: lot || "", uri: `${STEM}01/${gtin}/21/${encoded(serial)}` };
    if (gtin && lot) return { kind: "lot", gtin, lot, uri: `${STEM}01/${gtin}/10/${encoded(lot)}` };
    if (gtin) return { kind: "class", gtin, lot: "", uri: `${STEM}01/${gtin}` };
    if (sscc) return { kind: "sscc", uri: `${STEM}00/${sscc}` };
    return null;
  };

  const ofLink = (text) => {
    const path = text.replace(/^https?:\/\/[^/]+/i, "").split(/[?#]/)[0];
    const found = {};
    const steps = path.split("/").filter(Boolean);
    for (let i = 0; i + 1 < steps.length; i += 1) {
      const value = decodeURIComponent(steps[i + 1]);
      if (steps[i] === "01" && /^\d{8,14}$/.test(value)) found.gtin = value.padStart(14, "0");
      else if (steps[i] === "21" && found.gtin) found.serial = value;
      else if (steps[i] === "10" && found.gtin) found.lot = value;
      else if (steps[i] === "00" && /^\d{18}$/.test(value)) found.sscc = value;
      else continue;
      i += 1;
    }
    return named(found);
  };

  const ofPairs = (pairs) => {
    const gtin = /^\d{14}$/.test(pairs["01"] || "") && checked(pairs["01"]) ? pairs["01"] : "";
    const sscc = /^\d{18}$/.test(pairs["00"] || "") && checked(pairs["00"]) ? pairs["00"] : "";
    return named({ gtin, serial: pairs["21"], lot: pairs["10"], sscc });
  };
  const ofElements = (text) => {
    const pairs = {};
    if (text.startsWith("(")) {
      for (const [, ai, value] of text.matchAll(/\((\d{2,4})\)([^(]*)/g)) pairs[ai] = value.trim();
      return ofPairs(pairs);
    }
    let rest = text.replace(/^\](?:C1|d2|Q3|J1|e0)/, "");
    while (rest) {
      const ai = rest.slice(0, 2);
      const cut = FIXED[ai] ? FIXED[ai] + 2 : rest.indexOf(GS) < 0 ? rest.length : rest.indexOf(GS);
      if (!FIXED[ai] && ai !== "10" && ai !== "21") break;
      pairs[ai] = rest.slice(2, cut);
      rest = rest.slice(cut).replace(/^\u001d/, "");
    }
    return ofPairs(pairs);
  };

  // Returns {kind, uri, gtin, serial, lot}; kind is item, lot, class, sscc, or other with the plain text as number.
  station.read = (scanned) => {
    // A scanner may say first which symbology it read; only those of GS1 element strings tell anything.
    const text = scanned.normalize("NFKC").replace(/^[\s\u0000-\u001c]+|\s+$/g, "").replace(/^\](?!C1|d2|Q3|J1|e0)[A-Za-z]\d/, "");
    let found = null;
    try {
      if (/^https?:\/\//i.test(text) || /^\/0[01]\//.test(text)) found = ofLink(text);
      else if (/^(\(|\]|\u001d)/.test(text) || text.includes(GS)) found = ofElements(text.replace(/^\u001d/, ""));
      else if (/^\d+$/.test(text) && [8, 12, 13, 14].includes(text.length) && checked(text)) found = named({ gtin: text.padStart(14, "0") });
      else if (/^\d{18}$/.test(text) && checked(text)) found = named({ sscc: text });
      else if (/^0[01]\d{14}/.test(text)) found = ofElements(text);
    } catch (error) {
      found = null;
    }
    return { text, ...(found || { kind: "other", number: text.toUpperCase() }) };
  };
  station.isWaybill = (number) => /^[A-Z0-9][A-Z0-9-]{5,39}$/.test(number);
  // A v4 UUID also where the page is not a secure context and crypto.randomUUID is missing.
  station.newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  };
})();
