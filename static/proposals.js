"use strict";
/* The list of proposals: tick all on the page, how many are ticked. [data-go] sends its form when
   it is changed. An opened [details] leads to its first field; Ctrl+Enter there sends it. */

(() => {
  const boxes = (name) => [...document.querySelectorAll(`input[name="${CSS.escape(name)}"]`)];

  function count() {
    const said = document.querySelector("[data-picked]");
    const picked = boxes("ids").filter((box) => box.checked).length;
    if (said) said.textContent = picked;
    const all = document.querySelector("[data-all=ids]");
    if (all) all.checked = picked > 0 && picked === boxes("ids").length;
  }

  document.addEventListener("change", (event) => {
    const { all, go } = event.target.dataset;
    if (all) for (const box of boxes(all)) box.checked = event.target.checked;
    if (go !== undefined) event.target.form.requestSubmit();
    count();
  });

  document.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    const field = event.target.querySelector("input:not([type=hidden]), textarea, select");
    if (field) field.focus();
  }, true);

  document.addEventListener("keydown", (event) => {
    const details = event.target.closest("details[open]");
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !details) return;
    const send = details.querySelector("button[type=submit]");
    if (send) send.click();
  });

  document.addEventListener("htmx:afterSettle", count);
  document.addEventListener("DOMContentLoaded", count);
})();
