"use strict";
/* What htmx cannot say. Sections: focus, keys (keypad and scanner), idle, clocks, offline, chime.
   Everything is found again after each swap: nothing here holds on to an element. */

(() => {
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const seconds = () => performance.now() / 1000;
  const kiosk = () => document.body.classList.contains("kiosk");
  const screen = () => document.getElementById("screen");
  const english = () => document.documentElement.lang === "en";

  document.documentElement.classList.add("js");

  /* ── Focus: [data-focus] in what was swapped in is where the person is led ── */

  function arrive(swapped) {
    if (screen() && swapped === screen()) matchPage();
    const goal = one("[data-focus]", swapped);
    if (goal) goal.focus({ preventScroll: goal.tagName === "H1" });
    if (swapped.id === "notice") setTimeout(() => { swapped.hidden = true; }, 10000);
  }

  // Language, text size and title live outside of the part that a kiosk swaps.
  function matchPage() {
    const { title, size, offline } = screen().dataset;
    document.documentElement.lang = screen().lang;
    document.documentElement.classList.toggle("large", size === "large");
    document.title = title;
    one("#offline").textContent = offline;
    one("#notice").hidden = true;
    window.scrollTo(0, 0);
  }

  /* ── Keys: one [data-keys] field a screen, fed by [data-key] buttons, a keyboard, a scanner ──
     data-keys: digits | text | scan. data-drawn draws the value into the next element with the place
     of the next character, digits in groups ("4 4 4 4"). [data-count="{n} dari {of}"] counts;
     [data-on] is disabled until the value is long enough, or one of [data-choose] is checked. */

  const BURST_MS = 60;
  const PAUSE_MS = 2000;
  const BURST = { digits: 16, text: 16, scan: 8 };
  const ACCEPTS = { digits: /^\d$/, text: /^[\p{L}\d .,'/()&-]$/u, scan: /^[\x20-\x7e]$/ };
  let burst = "";
  let lastKey = 0;

  const field = () => one("[data-keys]");
  const kind = () => field().dataset.keys;

  function enter(value) {
    const input = field();
    const upper = kind() === "text" ? value.toUpperCase() : value;
    input.value = upper.replace(/^ +| (?= )/g, "").slice(0, input.maxLength);
    input.scrollTop = input.scrollHeight;
    paint();
  }

  function press(key) {
    if (key === "erase") enter(field().value.slice(0, -1));
    else if (key === "clear") enter("");
    else if (ACCEPTS[kind()].test(key)) enter(field().value + key);
  }

  function paint() {
    const input = field();
    if (!input) return choose();
    if (kiosk()) { input.readOnly = true; input.inputMode = "none"; }
    if (input.dataset.drawn !== undefined) draw(input);
    const count = one("[data-count]");
    if (count) count.textContent = counted(count.dataset.count, input);
    able(input.value.trim().length >= Number(input.dataset.least || 0));
  }

  function choose() {
    const choices = one("[data-choose]");
    if (choices) able(one(":checked", choices) !== null);
  }

  function able(can) {
    const on = one("[data-on]");
    if (on) on.disabled = !can;
  }

  const counted = (words, input) =>
    words.replace("{n}", input.value.length).replace("{of}", input.maxLength);

  function place(tag, text, here) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (here) made.className = "here";
    return made;
  }

  // Digits bold and the missing ones as dots, in the groups of the card; words as they are.
  function draw(input) {
    const { value, dataset, nextElementSibling: board } = input;
    if (!dataset.drawn) return board.replaceChildren(value, place("i", "", true));
    let at = 0;
    board.replaceChildren(...dataset.drawn.split(" ").map((size) => {
      const group = place("span", "");
      for (const end = at + Number(size); at < end; at += 1) {
        group.append(place(at < value.length ? "b" : "i", value[at] || "", at === value.length));
      }
      return group;
    }));
  }

  function submit(event) {
    event.preventDefault();
    const on = one("[data-on]");
    if (on && !on.disabled) on.click();
  }

  // A scanner types faster than a hand: what it typed replaces what stood there, and goes on.
  // A code to scan comes from nothing else: its keys belong together unless there was a pause.
  function scanned(event) {
    const text = burst;
    const fast = event.timeStamp - lastKey <= BURST_MS;
    burst = "";
    if (!fast || text.length < BURST.scan) return false;
    event.preventDefault();
    const input = field();
    if (!input) return true;
    // A gap in the burst: the keys have typed what came before it, so go on if that is all of it.
    if (kind() === "scan" || text.length < BURST[kind()]) { submit(event); return true; }
    if (kind() === "digits" && !/^\d+$/.test(text)) return true;
    enter(text);
    submit(event);
    return true;
  }

  function typed(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (target.matches("input, textarea, select") && target !== field()) return;
    if (key === "Enter") {
      if (!kiosk() || scanned(event) || target.closest("button, a, summary, label")) return;
      if (field()) submit(event);
      return;
    }
    if (key.length === 1) {
      if (field() && kind() === "scan" && event.timeStamp - lastKey > PAUSE_MS) enter("");
      burst = event.timeStamp - lastKey <= BURST_MS ? burst + key : key;
      lastKey = event.timeStamp;
    }
    if (!field() || !field().readOnly) return;
    if (key === " " && target.closest("button")) return;
    if (key === "Backspace") press("erase");
    else if (key.length === 1) press(key);
    else return;
    event.preventDefault();
  }

  // A second finger gives no click, so keys act on the touch; click serves keyboards.
  function touched(event) {
    const key = event.target.closest("[data-key]");
    if (!key || !field() || (event.type === "click" && event.detail > 0)) return;
    press(key.dataset.key);
  }

  // [data-open="id"] opens a dialog, [data-shut] closes the one it stands in; a fault's link leads
  // to its field without a trace in the history.
  function dialogs(event) {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
    const shut = event.target.closest("[data-shut]");
    if (shut) shut.closest("dialog").close();
    const fault = event.target.closest(".faults a");
    if (!fault) return;
    event.preventDefault();
    one(fault.hash).focus();
  }

  /* ── Idle: data-idle, data-warn, data-close of #screen, in seconds ── */

  let active = seconds();
  let shown = seconds();
  let contact = seconds();
  let wiping = false;

  function alive() {
    if (one("#idle[open]")) return;
    active = seconds();
    if (screen() && screen().dataset.idle && seconds() - contact > 45) stay();
  }

  function stay() {
    active = contact = seconds();
    const form = one("#presence");
    if (form) form.requestSubmit();
  }

  function idle() {
    const page = screen();
    if (!page || wiping) return;
    const closing = Number(page.dataset.close || 0);
    if (closing) return count(closing - (seconds() - shown));
    const limit = Number(page.dataset.idle || 0);
    if (!limit) return;
    const left = limit - (seconds() - active);
    if (left <= 0) wipe();
    else if (page.dataset.warn && left <= Number(page.dataset.warn)) warn(left);
  }

  function count(left) {
    if (one("dialog[open]") && left < 2) return;
    all("[data-countdown]").forEach((place) => { place.textContent = Math.max(0, Math.ceil(left)); });
    if (left <= 0) wipe();
  }

  function warn(left) {
    const dialog = one("#idle");
    if (!dialog.open) {
      all("dialog[open]").forEach((other) => other.close());
      dialog.showModal();
    }
    one("[data-left-seconds]", dialog).textContent = Math.ceil(left);
  }

  // Empty the screen first: the server may be out of reach.
  function wipe() {
    wiping = true;
    all("dialog[open]").forEach((dialog) => dialog.close());
    all("#screen main, #screen footer").forEach((part) => part.replaceChildren());
    one("#end").requestSubmit();
  }

  function leave() {
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    document.body.replaceChildren();
    const gone = () => location.replace("/kiosk");
    fetch("/kiosk/end", { method: "POST", headers }).then(gone, gone);
  }

  function rewind() {
    active = shown = seconds();
    wiping = false;
  }

  /* ── Clocks: data-left seconds at data-now, running while server time < data-until ── */

  const anchors = new WeakMap();

  function tell(left) {
    const sign = left < 0 ? "−" : "";
    const whole = Math.abs(left);
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (n) => String(n).padStart(2, "0");
    if (h >= 24) return `${sign}${Math.floor(h / 24)} ${english() ? "days" : "hari"}`;
    return h ? `${sign}${h}.${two(m)}.${two(s)}` : `${sign}${two(m)}.${two(s)}`;
  }

  function clocks() {
    for (const clock of all("[data-left]")) {
      const { left, now, until, budget } = clock.dataset;
      const key = `${left} ${now} ${until}`;
      let anchor = anchors.get(clock);
      if (!anchor || anchor.key !== key) anchors.set(clock, anchor = { key, at: seconds() });
      if (!until) continue;
      const ran = Math.min(seconds() - anchor.at, Math.max(0, until - now));
      const rest = Math.round(left - ran);
      clock.textContent = tell(rest);
      clock.classList.toggle("red", rest < 0);
      clock.classList.toggle("amber", rest >= 0 && rest * 3 <= budget);
      clock.classList.toggle("green", rest * 3 > budget);
    }
  }

  /* ── Offline: say so, try again until the server answers, go on unaided ── */

  let retry = 0;

  function lost() {
    one("#offline").hidden = false;
    if (!retry) retry = setTimeout(ask, 1500);
  }

  async function ask() {
    retry = 0;
    try {
      const stop = AbortSignal.timeout(6000);
      const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", signal: stop });
      if (answer.status >= 500) return lost();
    } catch {
      return lost();
    }
    one("#offline").hidden = true;
    if (wiping) one("#end").requestSubmit();
  }

  /* ── Chime: an element with a newer data-chime than the last one seen on this page ── */

  const seenKey = `chime ${location.pathname}`;
  const newest = () => Math.max(0, ...all("[data-chime]").map((e) => Number(e.dataset.chime) || 0));

  function remember(id) {
    sessionStorage.setItem(seenKey, Math.max(id, Number(sessionStorage.getItem(seenKey))));
  }

  function listen() {
    const id = newest();
    if (id <= Number(sessionStorage.getItem(seenKey))) return;
    remember(id);
    ring();
    flash();
  }

  function ring() {
    const audio = new AudioContext();
    [[880, 0], [1174.7, 0.18]].forEach(([pitch, delay]) => {
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      const start = audio.currentTime + delay;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, start);
      volume.gain.exponentialRampToValueAtTime(0.25, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.5);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.55);
    });
    setTimeout(() => audio.close(), 1500);
  }

  function flash() {
    const title = document.title.replace(/^● /, "");
    let turns = 10;
    const timer = setInterval(() => {
      turns -= 1;
      document.title = turns % 2 ? `● ${title}` : title;
      if (!turns) clearInterval(timer);
    }, 700);
  }

  /* ── Wiring ── */

  function settle(swapped) {
    if (swapped === screen()) rewind();
    arrive(swapped);
    paint();
    clocks();
    listen();
  }

  // What a screen asked by itself, or a person before they did something else, may be answered late and
  // say what is no longer so: it is not waited for, and a screen asks nothing until they are answered.
  const polls = (elt) => (elt.getAttribute("hx-trigger") || "").startsWith("every");
  let underway = [];
  const open = () => { underway = underway.filter(({ xhr }) => xhr.readyState % 4); return underway; };

  function overtake({ detail: { elt, target, xhr, requestConfig: { verb } } }) {
    const asks = polls(elt);
    const late = (one) => one.asks || (one.verb === "get" && one.target === target);
    if (!asks) open().filter(late).forEach((one) => one.xhr.abort());
    open().push({ asks, target, verb, xhr });
  }

  // A morph can take an element's polling away; the timer that is left must not ask for another.
  function mayAsk(event) {
    const { elt, verb } = event.detail;
    const waits = polls(elt) && open().some((one) => !one.asks);
    if (waits || !elt.hasAttribute(`hx-${verb}`)) event.preventDefault();
  }

  document.addEventListener("htmx:configRequest", mayAsk);
  document.addEventListener("htmx:beforeSend", overtake);
  document.addEventListener("htmx:afterSettle", (event) => settle(event.target));
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500) lost();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) contact = seconds();
  });
  document.addEventListener("pointerdown", (event) => { alive(); touched(event); });
  document.addEventListener("keydown", (event) => { alive(); typed(event); });
  document.addEventListener("change", paint);
  document.addEventListener("click", (event) => { touched(event); dialogs(event); });
  document.addEventListener("close", (event) => { if (event.target.id === "idle" && !wiping) stay(); }, true);
  for (const gesture of ["contextmenu", "dragstart", "selectstart"]) {
    document.addEventListener(gesture, (event) => { if (kiosk()) event.preventDefault(); });
  }
  // The back/forward cache may hold somebody's screen: wipe it before it can be read.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && kiosk()) leave();
  });
  setInterval(() => { idle(); clocks(); }, 1000);

  remember(newest());
  paint();
  clocks();
})();
