// What could not be stored: each act with what is wrong with it, to be opened again or given up.
"use strict";
(() => {
  const { desk, keep, link, sound } = station;
  const { said, the, word, screen, show, next, save, draw, run } = desk;

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
    desk.mode = one.entry.act.kind;
    desk.act = { ...one.entry.held, parts: one.entry.held.parts.filter((part) => !bad.has(part.uri)) };
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
  document.addEventListener("station:settled", ({ detail: { entry, findings, inactive } }) => {
    if (!findings.length) {
      // The answer came late, and what it is about still stands there as kept.
      if (entry.act && entry.act.act_id === desk.kept && the("state").dataset.tone === "kept") desk.tell("done", entry.act, inactive);
      return draw();
    }
    const mine = desk.recent.find((one) => entry.act && one.act_id === entry.act.act_id);
    if (mine) desk.remember({ ...mine, undone: true }); // nothing of it was stored
    show("wrong", said.refusals[findings[0].code] || said.refusals["station.refused"], entry.act && entry.act.waybill ? `…${entry.act.waybill.slice(-6)}` : "");
    sound("wrong");
    return draw();
  });

  station.listFindings = listFindings;
})();
