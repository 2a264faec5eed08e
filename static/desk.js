"use strict";
/* The desk's single keys: [data-press="T"] is pressed by T, unless somebody is typing.
   Escape and Ctrl+Enter work in a form too.
   Who is hindered by single keys turns them off in the rail.
   A key held down presses once; fresh acts sleep for a moment. */

(() => {
  const WAKE_MS = 600;
  let fresh = -WAKE_MS;

  const typing = (element) => element.closest("input:not([type=radio], [type=checkbox]), textarea, select");

  function nameOf(event) {
    if (event.key === "Escape") return "Escape";
    if (event.key === "Enter") return event.ctrlKey || event.metaKey ? "Ctrl+Enter" : "";
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return "";
    if (document.body.classList.contains("no-keys")) return "";
    return event.key.toUpperCase();
  }

  document.addEventListener("keydown", (event) => {
    const name = event.repeat ? "" : nameOf(event);
    if (!name || document.querySelector("dialog[open]")) return;
    const key = document.querySelector(`[data-press="${CSS.escape(name)}"]`);
    if (!key || key.disabled) return;
    event.preventDefault();
    if (key.matches("input")) key.select();
    else if (performance.now() - fresh > WAKE_MS) key.click();
  });

  // A second press meant for the last case must not act on the next one.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig && event.detail.requestConfig.verb === "post") fresh = performance.now();
  });
})();
