"use strict";
/* The editor of letters: a touched {part} goes where the caret was last, if it may stand there. */

(() => {
  let last = null;

  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#naskah textarea")) last = event.target;
  });

  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-insert]");
    if (!chip) return;
    const field = last || document.querySelector("[data-fills]");
    if (!field.matches("[data-fills]")) return;
    field.setRangeText(chip.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
