// Keys, scanner, touch: what comes from the hand, and how the station begins.
"use strict";
(() => {
  const { desk, keep, link, read } = station;
  const { said, the, fresh, next, save, draw, run } = desk;

  // Empty text takes nothing: it only waits until what was scanned before is done.
  station.scan = (text) => {
    if (!text.trim()) return run(() => {});
    desk.sure = "";
    return run(() => Promise.resolve(desk.take(read(text))).then(save));
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
  the("done").addEventListener("click", () => run(desk.complete));
  the("undo").addEventListener("click", () => run(desk.undo));
  the("label-print").addEventListener("click", () => run(desk.print));
  the("reasons").addEventListener("click", ({ target }) => {
    if (!target.dataset.reason) return;
    desk.act.reason = desk.act.reason === target.dataset.reason ? "" : target.dataset.reason;
    save();
    draw();
  });
  the("menu-open").addEventListener("click", () => {
    for (const one of document.querySelectorAll("[data-mode]")) one.toggleAttribute("aria-current", one.dataset.mode === desk.mode);
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
    await station.listFindings();
    the("findings").showModal();
  });
  the("courier").value = localStorage.getItem("pack.courier") || "";
  the("courier").addEventListener("change", () => localStorage.setItem("pack.courier", the("courier").value));
  the("sound").checked = localStorage.getItem("pack.silent") !== "1";
  the("sound").addEventListener("change", () => localStorage.setItem("pack.silent", the("sound").checked ? "0" : "1"));

  const change = async (name) => {
    desk.sure = "";
    desk.mode = name;
    localStorage.setItem("pack.mode", name);
    const kept = await keep.get("open", name);
    desk.act = kept && kept.party === link.party ? { ...fresh(), ...kept.act } : fresh();
    next();
  };
  const start = async () => {
    desk.recent = (await keep.all("history")).sort((a, b) => (a.at < b.at ? -1 : 1));
    if (!said.modes[desk.mode]) desk.mode = "pack";
    await change(desk.mode);
    await draw();
    the("station").dataset.ready = "1";
  };
  start();
})();
