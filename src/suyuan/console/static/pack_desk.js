// The desk: the act that is open, what is waited for, and how both are shown. Nothing here asks the server.
"use strict";
(() => {
  const { keep, link, sound } = station;
  const said = JSON.parse(document.getElementById("said").textContent);
  const chinese = document.documentElement.lang === "zh-CN";
  const the = (id) => document.getElementById(id);
  const word = (pair) => (chinese ? pair[0] : pair[1]);
  const other = (pair) => (chinese ? pair[1] : pair[0]);
  const screen = (name) => word(said.screen[name]);

  const fresh = () => ({ waybill: null, parent: "", sku: null, parts: [], shelf: "", reason: "", lot: "" });
  // ``recent``: acts of this device, the newest last; ``sure``: the one that the next press of the key undoes;
  // ``kept``: the last one whose answer did not come at once.
  const desk = { mode: localStorage.getItem("pack.mode") || "pack", act: fresh(), recent: [], sure: "", kept: "" };

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
    if (!desk.act.waybill || !desk.act.waybill.expected.length) return Infinity;
    const wanted = desk.act.waybill.expected.find((one) => one.gtin === gtin);
    const inside = desk.act.waybill.packed.filter((one) => one === gtin).length;
    return (wanted ? wanted.n : 0) - inside - desk.act.parts.filter((one) => one.gtin === gtin).length;
  };
  const expects = () => Boolean(desk.act.waybill && desk.act.waybill.expected.length);
  const wanted = (gtin) =>
    expects() ? desk.act.waybill.expected.some((one) => one.gtin === gtin) : !desk.act.sku || desk.act.sku.gtin === gtin;
  const fulfilled = () => expects() && desk.act.parts.length > 0 && desk.act.waybill.expected.every((one) => left(one.gtin) <= 0);
  const step = () => {
    if (desk.mode === "pack") return !desk.act.waybill ? "waybill" : !desk.act.sku && !expects() ? "sku" : "serial";
    if (desk.mode === "nest") return desk.act.parent ? "child" : "parent";
    if (desk.mode === "unpack") return desk.act.parent || desk.act.waybill ? "out" : "parent";
    return (desk.mode === "store" || desk.mode === "count") && !desk.act.shelf ? "shelf" : "goods";
  };
  const counted = () => desk.act.parts.reduce((sum, one) => sum + (one.quantity || 1), 0);
  const next = (tone = "ready") => {
    const [big, what] = said.states[step()];
    const aside = desk.act.sku && step() === "serial" ? word([desk.act.sku.zh || desk.act.sku.gtin, desk.act.sku.en || desk.act.sku.gtin]) : "";
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
    if (desk.act.waybill) rows.push(fact(screen("parcel"), `…${desk.act.waybill.number.slice(-6)}`, true));
    if (desk.act.parent) rows.push(fact(screen("parent"), `…${desk.act.parent.slice(-8)}`, true));
    if (desk.act.shelf) rows.push(fact(screen("shelf"), desk.act.shelf, true));
    for (const one of expects() ? desk.act.waybill.expected : []) {
      const missing = Math.max(0, left(one.gtin));
      rows.push(fact(word([one.zh || one.gtin, one.en || one.gtin]), `${one.n - missing} / ${one.n}`, !missing, true));
    }
    if (!expects() && desk.act.sku) rows.push(fact("SKU", word([desk.act.sku.zh || desk.act.sku.gtin, desk.act.sku.en || desk.act.sku.gtin]), true));
    if (!expects() && desk.act.parts.length) rows.push(fact(screen("pieces"), String(counted()), false, true));
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
  const lots = () => (desk.mode === "pack" && desk.act.sku && link.online ? desk.act.sku.lots || [] : []);
  const draw = async () => {
    the("facts").replaceChildren(...facts());
    the("parts").replaceChildren(...desk.act.parts.map(partRow).reverse());
    the("mode-name").textContent = word(said.modes[desk.mode]);
    the("reasons").hidden = desk.mode !== "damage";
    for (const one of the("reasons").children) one.setAttribute("aria-pressed", String(one.dataset.reason === desk.act.reason));
    the("label").hidden = !lots().length;
    if (the("lot").dataset.of !== lots().join()) {
      the("lot").dataset.of = lots().join();
      the("lot").replaceChildren(...lots().map((one) => new Option(one, one)));
    }
    the("done").disabled = !(desk.act.parts.length || (desk.mode === "unpack" && step() === "out"));
    const begun = desk.act.parts.length || desk.act.waybill || desk.act.parent || desk.act.shelf || desk.act.sku;
    the("undo").disabled = !begun && !desk.recent.some((one) => !one.undone);
    the("undo").querySelector("span").textContent = screen(desk.sure ? "sure" : begun ? "undo" : "undo_last");
    the("undo").classList.toggle("sure", Boolean(desk.sure));
    the("link").classList.toggle("off", !link.online || !link.signedIn);
    the("link-word").textContent = screen(link.online ? "online" : "offline");
    the("sign-in").hidden = link.signedIn;
    const count = await station.waiting();
    the("waiting").hidden = !count;
    the("waiting").textContent = `${count} ${screen("waiting")}`;
    const found = (await keep.all("findings")).filter((one) => one.party === link.party);
    the("findings-open").hidden = !found.length;
    the("findings-count").textContent = found.length;
  };
  const save = () => keep.put("open", { mode: desk.mode, act: desk.act, party: link.party });

  const noted = (name) => {
    show("note", said.states[name]);
    sound("note");
    return true;
  };
  // After a thing was taken the number stands where the eye is, and below it what is waited for.
  const accepted = () => {
    const [big, what] = said.states[step()];
    if (!desk.act.parts.length) next("good");
    else show("good", [[progress(), progress()], what]);
    if (desk.act.parts.length) the("second").textContent = `${word(big)} · ${other(big)}`;
    sound("good");
    return true;
  };
  const progress = () => {
    const last = desk.act.parts[desk.act.parts.length - 1];
    const wanted = expects() && desk.act.waybill.expected.find((one) => one.gtin === last.gtin);
    return wanted ? `✓ ${wanted.n - Math.max(0, left(last.gtin))} / ${wanted.n}` : `✓ ${counted()}`;
  };

  // What breaks in a script is never hidden: it is said here, and thrown on to where the browser reports it.
  const broke = () => {
    show("wrong", said.refusals["station.broken"]);
    sound("wrong");
  };
  addEventListener("error", broke);
  addEventListener("unhandledrejection", broke);
  // Work that changes the desk is done one piece after another, however fast the scans come.
  let busy = Promise.resolve();
  const run = (work) => {
    busy = busy.then(work).then(draw).catch((error) => {
      setTimeout(() => {
        throw error;
      });
    });
    return busy;
  };
  document.addEventListener("station:link", draw);
  station.desk = Object.assign(desk, {
    said, the, word, screen, fresh, show, refuse, left, expects, wanted, fulfilled, step, next, draw, save, noted,
    accepted, run,
  });
})();
