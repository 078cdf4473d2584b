// What a scan does to the open act, and what becomes of the act: done, taken back, or first a label for the goods.
"use strict";
(() => {
  const { desk, keep, sound } = station;
  const { said, the, word, screen, fresh, show, refuse, left, expects, wanted, fulfilled, step, next, save, draw } = desk;
  const { noted, accepted } = desk;

  const asked = (code, want, kind = desk.mode) => ({
    scan: station.newId(), text: code.text, kind, want, waybill: desk.act.waybill ? desk.act.waybill.number : "",
    courier: desk.act.waybill ? desk.act.waybill.courier : the("courier").value, parent: desk.act.parent,
    gtin: desk.act.sku && !expects() ? desk.act.sku.gtin : "", lot: desk.act.lot,
  });
  const takeWaybill = async (code) => {
    // Couriers number in digits too, and one number in ten looks like a GTIN; the server knows the goods.
    if (code.kind !== "other" && !/^\d+$/.test(code.text)) return refuse(desk.mode === "pack" ? "station.waybill.first" : "station.parent.first");
    const number = code.text.toUpperCase();
    if (!station.isWaybill(number)) return refuse("station.waybill.form");
    const answer = await station.look({ ...asked(code, "waybill"), waybill: "", courier: the("courier").value });
    if (answer && !answer.ok) return refuse(answer.code);
    const told = answer || { courier: the("courier").value, expected: [], packed: [] };
    desk.act.waybill = { number, courier: told.courier, expected: told.expected, packed: told.packed };
    if (desk.mode === "pack" && told.packed.length) return noted("again");
    return accepted();
  };
  const takeSku = async (code) => {
    if (expects() && !wanted(code.gtin)) return refuse("station.sku.wrong");
    if (left(code.gtin) <= 0) return refuse("station.sku.enough");
    const answer = await station.look(asked({ text: code.text }, "goods"));
    if (answer && !answer.ok) return refuse(answer.code);
    desk.act.sku = { gtin: code.gtin, lot: code.lot, ...(answer ? { zh: answer.zh, en: answer.en, lots: answer.lots } : {}) };
    desk.act.lot = code.lot || "";
    return accepted();
  };
  const elsewhere = (uri) => desk.recent.some((one) => !one.undone && one.kind === "pack" && one.uris.includes(uri));
  const takeItem = async (code) => {
    if (desk.act.parts.some((one) => one.uri === code.uri) || code.uri === desk.act.parent) return refuse("station.scan.twice");
    if (desk.mode === "pack") {
      if (!desk.act.sku && !expects()) return refuse("station.sku.first");
      if (!wanted(code.gtin)) return refuse("station.sku.wrong");
      if (left(code.gtin) <= 0) return refuse("station.sku.enough");
      if (elsewhere(code.uri)) return refuse("station.code.packed");
    }
    const answer = await station.look(asked(code, "goods"));
    if (answer && !answer.ok) return refuse(answer.code);
    desk.act.parts.push({ uri: code.uri, gtin: code.gtin || "", serial: code.serial || "", lot: (answer && answer.lot) || code.lot || "", scan: station.newId(), name: "" });
    if (fulfilled()) return complete();
    if (answer && answer.inactive && desk.mode === "pack") return noted("inactive");
    return accepted();
  };
  // Another system's code: only the server knows which item bears it.
  // Letters and a long number: the waybill of the next parcel, while this one is not finished.
  const nextWaybill = (code) => desk.mode === "pack" && /^[A-Z]{2,5}\d{8,}[A-Z]{0,2}$/.test(code.text.toUpperCase());
  const takeForeign = async (code, otherwise) => {
    const answer = await station.look(asked(code, "goods"));
    if (nextWaybill(code) && (!answer || answer.code === "station.code.unread")) return refuse("station.waybill.open");
    if (!answer) return refuse("station.code.foreign");
    if (answer.kind === "item") return takeItem({ ...code, uri: answer.uri, gtin: answer.gtin, serial: answer.serial });
    return refuse(answer.code === "station.code.unread" || answer.ok ? otherwise : answer.code);
  };
  const takeCounted = async (code) => {
    const known = desk.act.parts.find((one) => one.uri === code.uri);
    if (known) {
      known.quantity += 1;
      return accepted();
    }
    const answer = await station.look(asked(code, "goods"));
    if (answer && !answer.ok) return refuse(answer.code);
    const name = answer ? word([answer.zh || code.gtin, answer.en || code.gtin]) : code.gtin;
    desk.act.parts.push({ uri: code.uri, gtin: code.gtin, serial: "", lot: code.lot, quantity: 1, scan: station.newId(), name });
    return accepted();
  };
  const take = (code) => {
    const want = step();
    if (want === "waybill") return takeWaybill(code);
    if (want === "parent") {
      if (desk.mode === "unpack" && (code.kind === "other" || code.kind === "class")) return takeWaybill(code);
      if (code.kind !== "sscc" && code.kind !== "item") return refuse("station.parent.first");
      desk.act.parent = code.uri;
      return accepted();
    }
    if (want === "shelf") {
      if (!/^[\w./-]{1,30}$/.test(code.text)) return refuse("station.code.unread");
      desk.act.shelf = code.text;
      return accepted();
    }
    // What began an act, scanned again, ends it.
    const begun = desk.mode === "pack" ? desk.act.waybill.number === code.text.toUpperCase() : desk.act.parent && code.uri === desk.act.parent;
    if (begun && desk.act.parts.length) return complete();
    if (code.kind === "other" || (code.kind === "sscc" && desk.mode === "pack")) {
      return takeForeign(code, want === "sku" ? "station.sku.first" : "station.code.unread");
    }
    if (code.kind === "item" || code.kind === "sscc") return takeItem(code);
    return desk.mode === "pack" ? takeSku(code) : takeCounted(code);
  };

  const zone = () => {
    const minutes = -new Date().getTimezoneOffset();
    const two = (n) => String(n).padStart(2, "0");
    return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  };
  // What was scanned as the goods to take binds the act where all of it is of one kind.
  const scanned = () => {
    const { sku, parts, lot } = desk.act;
    const all = desk.mode === "pack" && sku && parts.every((one) => one.gtin === sku.gtin);
    return { gtin: all ? sku.gtin : "", lot: all ? lot : "" };
  };
  const payload = () => ({
    act_id: station.newId(), kind: desk.mode, at: station.now(), zone: zone(),
    waybill: desk.act.waybill ? desk.act.waybill.number : "", courier: desk.act.waybill ? desk.act.waybill.courier || the("courier").value : "", parent: desk.act.parent,
    parts: desk.act.parts.map(({ uri, quantity, scan }) => ({ uri, quantity: quantity || 0, scan })),
    ...scanned(),
    shelf: desk.act.shelf, reason: desk.act.reason,
  });
  const ANSWER_MS = 2500; // nobody waits longer for the next parcel
  // What the server says of an act, or null where it says nothing in time or nothing was reached.
  const answerOf = (act) => {
    let stop;
    const answer = new Promise((done) => {
      const hear = ({ detail }) => detail.entry.act && detail.entry.act.act_id === act.act_id && stop(detail);
      const timer = setTimeout(() => stop(null), ANSWER_MS);
      stop = (settled) => {
        clearTimeout(timer);
        document.removeEventListener("station:settled", hear);
        done(settled);
      };
      document.addEventListener("station:settled", hear);
    });
    return { answer, stop };
  };
  // How an act went. ``inactive`` says why labels that were drawn for it are not active.
  const tell = (tone, sent, inactive = "") => {
    const [big, what] = inactive ? said.refusals[inactive] || said.states.unactivated : said.states[tone];
    const [follows] = said.states[step()];
    show(inactive ? "note" : tone, [big, what], sent.parts.length ? counts(sent) : screen("all"));
    the("do").textContent += ` → ${word(follows)}`;
    sound(inactive ? "note" : "done");
  };
  const complete = async () => {
    if (!desk.act.parts.length && !(desk.mode === "unpack" && step() === "out")) return refuse("station.act.empty");
    const sent = payload();
    const shelf = desk.act.shelf;
    await remember({ act_id: sent.act_id, at: sent.at, kind: desk.mode, uris: sent.parts.map((one) => one.uri) });
    const { answer, stop } = answerOf(sent);
    await station.hold({ type: "act", act: sent, held: desk.act }); // before the screen lets go of it
    desk.act = fresh();
    if (desk.mode === "store") desk.act.shelf = shelf;
    await save();
    station.deliver().then(() => stop(null));
    const settled = await answer;
    if (settled && settled.findings.length) return false; // what it says is on the screen already
    desk.kept = settled ? "" : sent.act_id;
    tell(settled ? "done" : "kept", sent, settled ? settled.inactive : "");
    return true;
  };
  const remember = async (one) => {
    desk.recent = [...desk.recent.filter((known) => known.act_id !== one.act_id), one].sort((a, b) => (a.at < b.at ? -1 : 1));
    await keep.put("history", one);
    for (const old of desk.recent.splice(0, Math.max(0, desk.recent.length - 200))) await keep.drop("history", old.act_id);
  };
  const counts = (sent) => `${sent.parts.reduce((sum, one) => sum + (one.quantity || 1), 0)} ${screen("pieces")}`;
  const undo = async () => {
    if (desk.act.parts.length) {
      const last = desk.act.parts[desk.act.parts.length - 1];
      if (last.quantity > 1) last.quantity -= 1;
      else desk.act.parts.pop();
      next();
    } else if (desk.act.waybill || desk.act.parent || desk.act.shelf || desk.act.sku) {
      desk.act = fresh();
      next();
    } else {
      const last = [...desk.recent].reverse().find((one) => !one.undone);
      if (!last) return refuse("station.act.unknown");
      if (desk.sure !== last.act_id) {
        desk.sure = last.act_id;
        return true;
      }
      desk.sure = "";
      await remember({ ...last, undone: true });
      await station.hold({ type: "undo", undo: { act_id: last.act_id, at: station.now() } });
      await station.deliver();
      show("done", said.states.undone);
      sound("note");
    }
    await save();
    return draw();
  };
  const print = async () => {
    const answer = await station.send("label", { draw: station.newId(), gtin: desk.act.sku.gtin, lot: the("lot").value }, 8);
    if (answer === null || answer.body.error) return refuse(answer ? answer.body.error.code : "station.refused");
    show("note", said.states.printed, `…${answer.body.serial.slice(-6)}`);
    sound("good");
    const bridge = the("station").dataset.bridge;
    const printed = bridge && (await fetch(bridge, { method: "POST", mode: "no-cors", body: answer.body.zpl }).catch(() => null));
    if (printed) return true;
    the("zpl-title").textContent = bridge ? screen("print_failed") : `ZPL · …${answer.body.serial.slice(-6)}`;
    the("zpl-text").value = answer.body.zpl;
    URL.revokeObjectURL(the("zpl-file").href);
    the("zpl-file").href = URL.createObjectURL(new Blob([answer.body.zpl], { type: "text/plain" }));
    the("zpl").showModal();
    return true;
  };

  Object.assign(desk, { take, complete, undo, print, remember, tell });
})();
