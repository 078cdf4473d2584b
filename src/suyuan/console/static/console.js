// Small comforts; every page works without them.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = document.activeElement;
  if (at && (/^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || at.isContentEditable)) return;
  const field = document.getElementById("find");
  if (field) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});
for (const one of document.querySelectorAll(".scripted")) one.hidden = false;
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy],[data-print]");
  if (!button) return;
  if ("print" in button.dataset) return window.print();
  const source = document.getElementById(button.dataset.copy);
  const lines = source.querySelectorAll("li");
  const text = lines.length ? [...lines].map((line) => line.textContent.trim()).join("\n") : source.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
  }
  const label = button.querySelector("span") || button;
  label.setAttribute("role", "status");
  label.textContent = button.dataset.done;
});
// A menu that was opened closes when somebody turns elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[open]:has(>.pop)")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[open]:has(>.pop)")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
