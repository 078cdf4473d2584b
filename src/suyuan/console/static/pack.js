// The station itself: what is waited for, what a scan does to it, and what is shown. See pack_queue.js for what is sent.
"use strict";
(() => {
  const { keep, link, read, sound } = station;
  const said = JSON.parse(document.getElementById("said").textContent);
  const chinese = document.documentElement.lang === "zh-CN";
  const the = (id) => document.getElementById(id);
  const word = (pair) => (chinese ? pair[0] : pair[1]);
  const other = (pair) => (chinese ? pair[1] : pair[0]);
  const screen = (name) => word(said.screen[name]);

  const fresh = () => ({ waybill: null, parent: "", sku: null, parts: [], shelf: "", reason: "", lot: "", scanned: {} });
  let mode = localStorage.getItem("pack.mode") || "pack";
  let act = fresh();
  let sure = ""; // the act that the next press of the key undoes
  let recent = []; // acts of this device, the newest last

  // -- what is shown ------------------------------------------------------------------------------------------------

  const show = (tone, [big, what], aside = "") => {
    the("state").dataset.tone = tone;
    the("word").textContent = word(big);
    const length = word(big).length;
    the("word").classList.toggle("long", length > (chinese ? 6 : 9));
    the("word").classList.toggle("short", length < (chinese ? 4 : 8));
    the("second").textContent = other(big);
    the("do").textContent = [aside, word(what)].filter(Boolean).join(" · ");
  };
  const refuse = (code) => {
    show("wrong", said.refusals[code] || said.refusals["station.refused"]);
    sound("wrong");
    draw();
    return false;
  };
  const left = (gtin) => {
    if (!act.waybill || !act.waybill.expected.length) return Infinity;
    const wanted = act.waybill.expected.find((one) => one.gtin === gtin);
    const inside = act.waybill.packed.filter((one) => one === gtin).length;
    return (wanted ? wanted.n : 0) - inside - act.parts.filter((one) => one.gtin === gtin).length;
  };
  const expects = () => Boolean(act.waybill && act.waybill.expected.length);
  const wanted = (gtin) =>
    expects() ? act.waybill.expected.some((one) => one.gtin === gtin) : !act.sku || act.sku.gtin === gtin;
  const fulfilled = () => expects() && act.parts.length > 0 && act.waybill.expected.every((one) => left(one.gtin) <= 0);
  const step = () => {
    if (mode === "pack") return !act.waybill ? "waybill" : !act.sku && !expects() ? "sku" : "serial";
    if (mode === "nest") return act.parent ? "child" : "parent";
    if (mode === "unpack") return act.parent || act.waybill ? "out" : "parent";
    return (mode === "store" || mode === "count") && !act.shelf ? "shelf" : "goods";
  };
  const counted = () => act.parts.reduce((sum, one) => sum + (one.quantity || 1), 0);
  const next = (tone = "ready") => {
    const [big, what] = said.states[step()];
    const aside = act.sku && step() === "serial" ? word([act.sku.zh || act.sku.gtin, act.sku.en || act.sku.gtin]) : "";
    show(tone, [big, what], aside);
  };
  const fact = (name, text, full = false, big = false) => {
    const row = document.createElement("li");
    row.className = `${full ? "full" : ""} ${big ? "big" : ""}`;
    row.append(Object.assign(document.createElement("span"), { textContent: name }), Object.assign(document.createElement("b"), { textContent: text }));
    return row;
  };
  const facts = () => {
    const rows = [];
    if (act.waybill) rows.push(fact(screen("parcel"), `…${act.waybill.number.slice(-6)}`, true));
    if (act.parent) rows.push(fact(screen("parent"), `…${act.parent.slice(-8)}`, true));
    if (act.shelf) rows.push(fact(screen("shelf"), act.shelf, true));
    for (const one of expects() ? act.waybill.expected : []) {
      const missing = Math.max(0, left(one.gtin));
      rows.push(fact(word([one.zh || one.gtin, one.en || one.gtin]), `${one.n - missing} / ${one.n}`, !missing, true));
    }
    if (!expects() && act.sku) rows.push(fact("SKU", word([act.sku.zh || act.sku.gtin, act.sku.en || act.sku.gtin]), true));
    if (!expects() && act.parts.length) rows.push(fact(screen("pieces"), String(counted()), false, true));
    return rows;
  };
  const partRow = (part) => {
    const row = document.createElement("li");
    const name = part.serial || part.lot || part.uri.replace("https://id.gs1.org", "");
    row.append(Object.assign(document.createElement("span"), { textContent: part.name ? `${part.name} ${name}` : name }));
    if (part.quantity) {
      const input = Object.assign(document.createElement("input"), { type: "number", min: "1", max: "1000000", value: part.quantity, inputMode: "numeric" });
      input.setAttribute("aria-label", screen("quantity"));
      input.addEventListener("change", () => {
        part.quantity = Math.min(1000000, Math.max(1, Math.round(Number(input.value)) || 1));
        save();
        draw();
      });
      row.append(input);
    }
    return row;
  };
  const lots = () => (mode === "pack" && act.sku && link.online ? act.sku.lots || [] : []);
  const draw = async () => {
    the("facts").replaceChildren(...facts());
    the("parts").replaceChildren(...act.parts.map(partRow).reverse());
    the("mode-name").textContent = word(said.modes[mode]);
    the("reasons").hidden = mode !== "damage";
    for (const one of the("reasons").children) one.setAttribute("aria-pressed", String(one.dataset.reason === act.reason));
    the("label").hidden = !lots().length;
    if (the("lot").dataset.of !== lots().join()) {
      the("lot").dataset.of = lots().join();
      the("lot").replaceChildren(...lots().map((one) => new Option(one, one)));
    }
    the("done").disabled = !(act.parts.length || (mode === "unpack" && step() === "out"));
    const begun = act.parts.length || act.waybill || act.parent || act.shelf || act.sku;
    the("undo").disabled = !begun && !recent.some((one) => !one.undone);
    the("undo").querySelector("span").textContent = screen(sure ? "sure" : begun ? "undo" : "undo_last");
    the("undo").classList.toggle("sure", Boolean(sure));
    the("link").classList.toggle("off", !link.online || !link.signedIn);
    the("link-word").textContent = link.signedIn ? screen(link.online ? "online" : "offline") : screen("sign_in");
    const count = await station.waiting();
    the("waiting").hidden = !count;
    the("waiting").textContent = `${count} ${screen("waiting")}`;
    const found = (await keep.all("findings")).filter((one) => one.party === link.party);
    the("findings-open").hidden = !found.length;
    the("findings-count").textContent = found.length;
  };
  const save = () => keep.put("open", { mode, act, party: link.party });

  // -- scans --------------------------------------------------------------------------------------------------------

  const asked = (code, want, kind = mode) => ({
    scan: station.newId(), text: code.text, kind, want, waybill: act.waybill ? act.waybill.number : "",
    courier: act.waybill ? act.waybill.courier : the("courier").value, parent: act.parent,
    gtin: act.sku && !expects() ? act.sku.gtin : "", lot: act.lot,
  });
  const takeWaybill = async (code) => {
    if (code.kind !== "other") return refuse(mode === "pack" ? "station.waybill.first" : "station.parent.first");
    if (!station.isWaybill(code.number)) return refuse("station.waybill.form");
    const answer = await station.look({ ...asked(code, "waybill"), waybill: "", courier: the("courier").value });
    if (answer && !answer.ok) return refuse(answer.code);
    const told = answer || { courier: the("courier").value, expected: [], packed: [] };
    act.waybill = { number: code.number, courier: told.courier, expected: told.expected, packed: told.packed };
    if (mode === "pack" && told.packed.length) return noted("again");
    return accepted();
  };
  const noted = (name) => {
    show("note", said.states[name]);
    sound("note");
    return true;
  };
  // After a thing was taken the number stands where the eye is, and below it what is waited for.
  const accepted = () => {
    const [big, what] = said.states[step()];
    if (!act.parts.length) next("good");
    else show("good", [[progress(), progress()], what]);
    if (act.parts.length) the("second").textContent = `${word(big)} · ${other(big)}`;
    sound("good");
    return true;
  };
  const progress = () => {
    const last = act.parts[act.parts.length - 1];
    const wanted = expects() && act.waybill.expected.find((one) => one.gtin === last.gtin);
    return wanted ? `✓ ${wanted.n - Math.max(0, left(last.gtin))} / ${wanted.n}` : `✓ ${counted()}`;
  };
  const takeSku = async (code) => {
    if (expects() && !wanted(code.gtin)) return refuse("station.sku.wrong");
    if (left(code.gtin) <= 0) return refuse("station.sku.enough");
    const answer = await station.look(asked({ text: code.text }, "goods"));
    if (answer && !answer.ok) return refuse(answer.code);
    act.sku = { gtin: code.gtin, lot: code.lot, ...(answer ? { zh: answer.zh, en: answer.en, lots: answer.lots } : {}) };
    act.lot = code.lot || "";
    return accepted();
  };
  const elsewhere = (uri) => recent.some((one) => !one.undone && one.kind === "pack" && one.uris.includes(uri));
  const takeItem = async (code) => {
    if (act.parts.some((one) => one.uri === code.uri) || code.uri === act.parent) return refuse("station.scan.twice");
    if (mode === "pack") {
      if (!act.sku && !expects()) return refuse("station.sku.first");
      if (!wanted(code.gtin)) return refuse("station.sku.wrong");
      if (left(code.gtin) <= 0) return refuse("station.sku.enough");
      if (elsewhere(code.uri)) return refuse("station.code.packed");
    }
    const answer = await station.look(asked(code, "goods"));
    if (answer && !answer.ok) return refuse(answer.code);
    act.parts.push({ uri: code.uri, gtin: code.gtin || "", serial: code.serial || "", lot: (answer && answer.lot) || code.lot || "", scan: station.newId(), name: "" });
    if (fulfilled()) return complete();
    if (answer && answer.inactive && mode === "pack") return noted("inactive");
    return accepted();
  };
  const takeCounted = async (code) => {
    const known = act.parts.find((one) => one.uri === code.uri);
    if (known) {
      known.quantity += 1;
      return accepted();
    }
    const answer = await station.look(asked(code, "goods"));
    if (answer && !answer.ok) return refuse(answer.code);
    const name = answer ? word([answer.zh || code.gtin, answer.en || code.gtin]) : code.gtin;
    act.parts.push({ uri: code.uri, gtin: code.gtin, serial: "", lot: code.lot, quantity: 1, scan: station.newId(), name });
    return accepted();
  };
  const take = (code) => {
    const want = step();
    if (want === "waybill") return takeWaybill(code);
    if (want === "parent") {
      if (code.kind === "other" && mode === "unpack") return takeWaybill(code);
      if (code.kind !== "sscc" && code.kind !== "item") return refuse("station.parent.first");
      act.parent = code.uri;
      return accepted();
    }
    if (want === "shelf") {
      if (!/^[\w./-]{1,30}$/.test(code.text)) return refuse("station.code.unread");
      act.shelf = code.text;
      return accepted();
    }
    if (code.kind === "other") {
      if (mode === "pack" && act.waybill.number === code.number && act.parts.length) return complete();
      return refuse(want === "sku" ? "station.sku.first" : "station.code.unread");
    }
    if (code.kind === "item" || code.kind === "sscc") return mode === "pack" && code.kind === "sscc" ? refuse("station.code.unread") : takeItem(code);
    return mode === "pack" ? takeSku(code) : takeCounted(code);
  };

  // -- acts ---------------------------------------------------------------------------------------------------------

  const zone = () => {
    const minutes = -new Date().getTimezoneOffset();
    const two = (n) => String(n).padStart(2, "0");
    return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  };
  const payload = () => ({
    act_id: station.newId(), kind: mode, at: station.now(), zone: zone(),
    waybill: act.waybill ? act.waybill.number : "", courier: act.waybill ? act.waybill.courier : "", parent: act.parent,
    parts: act.parts.map(({ uri, quantity, scan }) => ({ uri, quantity: quantity || 0, scan })),
    gtin: mode === "pack" && act.sku && act.parts.every((one) => one.gtin === act.sku.gtin) ? act.sku.gtin : "",
    lot: mode === "pack" ? act.lot : "", shelf: act.shelf, reason: act.reason,
  });
  const complete = async () => {
    if (!act.parts.length && !(mode === "unpack" && step() === "out")) return refuse("station.act.empty");
    const sent = payload();
    const entry = { type: "act", act: sent, held: act };
    const shelf = act.shelf;
    await remember({ act_id: sent.act_id, at: sent.at, kind: mode, uris: sent.parts.map((one) => one.uri) });
    act = fresh();
    if (mode === "store") act.shelf = shelf;
    await save();
    const answered = new Promise((done) => {
      const hear = ({ detail }) => detail.entry.act && detail.entry.act.act_id === sent.act_id && done(detail.findings);
      document.addEventListener("station:settled", hear);
      setTimeout(() => done(null), 2500);
      station.enqueue(entry).then(() => setTimeout(() => done(null), 50));
    });
    const findings = await answered;
    if (findings && findings.length) return false; // what it says is on the screen already
    const [big, what] = said.states[findings ? "done" : "kept"];
    const [follows] = said.states[step()];
    show(findings ? "done" : "kept", [big, what], sent.parts.length ? counts(sent) : screen("all"));
    the("do").textContent += ` → ${word(follows)}`;
    sound("done");
    return true;
  };
  const remember = async (one) => {
    recent = [...recent.filter((known) => known.act_id !== one.act_id), one].sort((a, b) => (a.at < b.at ? -1 : 1));
    await keep.put("history", one);
    for (const old of recent.splice(0, Math.max(0, recent.length - 200))) await keep.drop("history", old.act_id);
  };
  const counts = (sent) => `${sent.parts.reduce((sum, one) => sum + (one.quantity || 1), 0)} ${screen("pieces")}`;
  const undo = async () => {
    if (act.parts.length) {
      const last = act.parts[act.parts.length - 1];
      if (last.quantity > 1) last.quantity -= 1;
      else act.parts.pop();
      next();
    } else if (act.waybill || act.parent || act.shelf || act.sku) {
      act = fresh();
      next();
    } else {
      const last = [...recent].reverse().find((one) => !one.undone);
      if (!last) return refuse("station.act.unknown");
      if (sure !== last.act_id) {
        sure = last.act_id;
        return true;
      }
      sure = "";
      await remember({ ...last, undone: true });
      await station.enqueue({ type: "undo", undo: { act_id: last.act_id, at: station.now() } });
      show("done", said.states.undone);
      sound("note");
    }
    await save();
    return draw();
  };
  const print = async () => {
    const answer = await station.send("label", { draw: station.newId(), gtin: act.sku.gtin, lot: the("lot").value }, 8);
    if (answer === null || answer.body.error) return refuse(answer ? answer.body.error.code : "station.refused");
    show("note", said.states.printed, `…${answer.body.serial.slice(-6)}`);
    sound("good");
    const bridge = the("station").dataset.bridge;
    const printed = bridge && (await fetch(bridge, { method: "POST", mode: "no-cors", body: answer.body.zpl }).catch(() => null));
    if (printed) return true;
    the("zpl-title").textContent = bridge ? screen("print_failed") : `ZPL · …${answer.body.serial.slice(-6)}`;
    the("zpl-text").value = answer.body.zpl;
    the("zpl-file").href = URL.createObjectURL(new Blob([answer.body.zpl], { type: "text/plain" }));
    the("zpl").showModal();
    return true;
  };

  // -- what could not be stored -------------------------------------------------------------------------------------

  const named = ({ code, uri }) => {
    const [big, what] = said.refusals[code] || said.refusals["station.refused"];
    return `${uri ? `…${uri.slice(-8)}: ` : ""}${word(big)} — ${word(what)}`;
  };
  const findingRow = (one) => {
    const row = document.createElement("li");
    const make = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });
    const sent = one.entry.act;
    const tail = sent && (sent.waybill || sent.parent);
    row.append(make("h3", `${sent ? word(said.modes[sent.kind]) : screen("undo")} ${tail ? `…${tail.slice(-6)}` : ""}`));
    row.append(...one.findings.map((finding) => make("p", named(finding))));
    const keys = document.createElement("div");
    if (sent) keys.append(make("button", screen("reopen"), { type: "button", onclick: () => run(() => reopen(one)) }));
    keys.append(make("button", screen("discard"), { type: "button", onclick: ({ target }) => discard(one, target) }));
    row.append(keys);
    return row;
  };
  const listFindings = async () => {
    const found = (await keep.all("findings")).filter((one) => one.party === link.party);
    the("findings-list").replaceChildren(...found.map(findingRow));
    if (!found.length) the("findings").close();
    return draw();
  };
  const reopen = async (one) => {
    const bad = new Set(one.findings.map((finding) => finding.uri));
    mode = one.entry.act.kind;
    act = { ...one.entry.held, parts: one.entry.held.parts.filter((part) => !bad.has(part.uri)) };
    await keep.drop("findings", one.id);
    await save();
    the("findings").close();
    next();
    return draw();
  };
  const discard = async (one, key) => {
    if (!key.dataset.sure) {
      key.dataset.sure = "1";
      key.textContent = screen("sure");
      return;
    }
    await keep.drop("findings", one.id);
    await listFindings();
  };
  document.addEventListener("station:settled", ({ detail: { entry, findings } }) => {
    if (!findings.length) return draw();
    const mine = recent.find((one) => entry.act && one.act_id === entry.act.act_id);
    if (mine) remember({ ...mine, undone: true }); // nothing of it was stored
    show("wrong", said.refusals[findings[0].code] || said.refusals["station.refused"], entry.act && entry.act.waybill ? `…${entry.act.waybill.slice(-6)}` : "");
    sound("wrong");
    return draw();
  });
  document.addEventListener("station:link", draw);

  // -- keys, touch, camera ------------------------------------------------------------------------------------------

  let busy = Promise.resolve();
  // Scans are taken one after another, however fast they come.
  station.scan = (text) => {
    if (!text.trim()) return busy;
    sure = "";
    busy = busy.then(() => take(read(text))).then(save).catch(() => refuse("station.refused")).then(draw);
    return busy;
  };
  const run = (work) => {
    busy = busy.then(work).then(draw);
    return busy;
  };
  let buffer = "";
  let last = 0;
  const plain = (event) => {
    if (event.key.length === 1) return event.key;
    if (event.key === "F8") return "\u001d";
    // An input method holds the letter back; the key itself is what the scanner sent.
    const code = /^(?:Key([A-Z])|(?:Digit|Numpad)(\d))$/.exec(event.code);
    return event.key === "Process" && code ? code[1] || code[2] : "";
  };
  // A scanner types fast and ends with Enter, whatever has the focus; people type into the field.
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input:not([type=checkbox]),select");
    if (field && field !== the("text")) return;
    if (event.ctrlKey && event.key === "]") {
      buffer += "\u001d";
      return event.preventDefault();
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (Date.now() - last > 400) buffer = "";
    last = Date.now();
    if (event.key === "Enter" || event.key === "Tab") {
      const text = field ? field.value || buffer : buffer;
      if (event.key === "Tab" ? buffer.length < 6 : text.length < 3 && !field) return;
      event.preventDefault();
      buffer = "";
      the("text").value = "";
      for (const open of document.querySelectorAll("dialog[open]:not(.camera)")) open.close();
      if (text.length >= 3) station.scan(text);
      return;
    }
    const letter = plain(event);
    if (!letter || (letter === " " && !buffer)) return;
    buffer += letter;
    if (!field && event.key !== "Escape") event.preventDefault();
    if (field && event.key === "Process") event.preventDefault();
  });
  the("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = the("text").value;
    the("text").value = "";
    station.scan(text);
  });
  the("keyboard").addEventListener("click", () => {
    const typing = the("text").inputMode !== "text";
    the("text").inputMode = typing ? "text" : "none";
    the("keyboard").setAttribute("aria-pressed", String(typing));
    the("text").focus();
  });
  the("done").addEventListener("click", () => run(complete));
  the("undo").addEventListener("click", () => run(undo));
  the("label-print").addEventListener("click", () => run(print));
  the("reasons").addEventListener("click", ({ target }) => {
    if (!target.dataset.reason) return;
    act.reason = act.reason === target.dataset.reason ? "" : target.dataset.reason;
    save();
    draw();
  });
  the("menu-open").addEventListener("click", () => {
    for (const one of document.querySelectorAll("[data-mode]")) one.toggleAttribute("aria-current", one.dataset.mode === mode);
    the("menu").showModal();
  });
  for (const one of document.querySelectorAll("[data-mode]")) {
    one.addEventListener("click", () => {
      the("menu").close();
      run(() => change(one.dataset.mode));
    });
  }
  for (const one of document.querySelectorAll("[data-close]")) one.addEventListener("click", () => one.closest("dialog").close());
  the("findings-open").addEventListener("click", async () => {
    await listFindings();
    the("findings").showModal();
  });
  the("courier").value = localStorage.getItem("pack.courier") || "";
  the("courier").addEventListener("change", () => localStorage.setItem("pack.courier", the("courier").value));
  the("sound").checked = localStorage.getItem("pack.silent") !== "1";
  the("sound").addEventListener("change", () => localStorage.setItem("pack.silent", the("sound").checked ? "0" : "1"));
  the("link").addEventListener("click", () => link.signedIn || location.assign("/console/sign-in?next=/console/pack"));

  const change = async (name) => {
    sure = "";
    mode = name;
    localStorage.setItem("pack.mode", name);
    const kept = await keep.get("open", name);
    act = kept && kept.party === link.party ? { ...fresh(), ...kept.act } : fresh();
    next();
  };
  const start = async () => {
    recent = (await keep.all("history")).sort((a, b) => (a.at < b.at ? -1 : 1));
    if (!said.modes[mode]) mode = "pack";
    await change(mode);
    await draw();
    the("station").dataset.ready = "1";
  };
  start();
})();
