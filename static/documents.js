"use strict";
/* Papers: files are shrunk, sent with their progress and tried again on a bad line; a scan is shown
   large beside the form; the kiosk's camera. Without this script the forms send as they are.

   input[type=file][data-upload=URL][data-kind][data-target]  sends at once what is chosen or dropped
   a[data-view=title][data-pages][data-file]                  opens in #viewer
   video[data-live], canvas[data-shot], [data-shoot] …        the kiosk's photograph */

(() => {
  const LONGEST = 2000;
  const SMALL_ENOUGH = 400 * 1024;
  const WAITS_S = [1, 2, 4, 8, 15, 30, 30, 30];
  const one = (selector, from = document) => from.querySelector(selector);
  const words = () => one(".upload-words").dataset;
  const pause = (seconds) => new Promise((go) => { setTimeout(go, seconds * 1000); });

  function freshKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /* ── Shrink: a picture's long side at most 2000; what cannot be drawn is sent as it is ── */

  async function shrunk(file) {
    if (!/^image\/(jpeg|png)$/.test(file.type)) return file;
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      return file;
    }
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    if (scale === 1 && file.size <= SMALL_ENOUGH) return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const made = await asJpeg(canvas);
    return made && made.size < file.size ? made : file;
  }

  const asJpeg = (canvas) => new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.85); });

  /* ── Send: the same key at every try, so that a file that did arrive is kept once ── */

  function attempt(url, fields, file, told) {
    return new Promise((done) => {
      const form = new FormData();
      Object.entries(fields).forEach(([name, value]) => form.append(name, value));
      form.append("file", file, file.name || "foto.jpg");
      const request = new XMLHttpRequest();
      request.open("POST", url);
      request.timeout = 120000;
      const headers = JSON.parse(document.body.getAttribute("hx-headers"));
      Object.entries({ ...headers, "HX-Request": "true" }).forEach(([n, v]) => request.setRequestHeader(n, v));
      request.upload.onprogress = (event) => told(event.loaded / event.total);
      request.onloadend = () => done(request);
      request.send(form);
    });
  }

  async function send(url, fields, file, bar) {
    for (let n = 0; ; n += 1) {
      bar.say(words().sending, 0);
      const answer = await attempt(url, fields, file, (part) => bar.say(words().sending, part));
      if (answer.status && answer.status < 500) return answer;
      if (n >= WAITS_S.length) return null;
      bar.say(words().again, 0);
      await pause(WAITS_S[n]);
    }
  }

  /* ── One input's files, one after the other; then what it changed is swapped in ── */

  function barAfter(place) {
    const box = document.createElement("p");
    const text = document.createElement("span");
    const bar = document.createElement("progress");
    box.className = "sending";
    box.setAttribute("role", "status");
    bar.max = 1;
    box.append(text, bar);
    place.after(box);
    return {
      say(said, part) { text.textContent = said; bar.value = part; },
      fail(said) { box.className = "fault"; box.setAttribute("role", "alert"); box.textContent = said; },
      gone() { box.remove(); },
    };
  }

  async function upload(input, files) {
    const { upload: url, kind, target, field } = input.dataset;
    const form = input.form;
    const bar = barAfter(input.closest("label") || input);
    const faults = [];
    let last = null;
    form.dataset.sending = Number(form.dataset.sending || 0) + 1;
    for (const file of files) {
      bar.say(words().shrinking, 0);
      const fields = { kind, key: freshKey(), ...(field ? { field } : {}) };
      const answer = await send(url, fields, await shrunk(file), bar);
      if (answer) last = answer;
      faults.push(answer ? faultOf(answer, target) : words().failed);
    }
    form.dataset.sending = Number(form.dataset.sending) - 1;
    if (!last || !swapIn(last, target)) return bar.fail(faults.filter(Boolean).at(-1) || words().failed);
    bar.gone();
    faults.slice(0, -1).filter(Boolean).forEach((said) => one(target).append(complaint(said)));
    if (field) htmx.trigger("#documents", "sent");
  }

  // A refusal comes with the part of the page that it is about, or as a notice alone.
  const parsed = (answer) => new DOMParser().parseFromString(answer.responseText, "text/html");

  function faultOf(answer, target) {
    if (answer.status < 400) return "";
    const page = parsed(answer);
    const said = one(`${target} [role=alert]`, page) || page.body;
    return said.textContent.trim();
  }

  function swapIn(answer, target) {
    if (!one(target, parsed(answer)) || !one(target)) return false;
    htmx.swap(target, answer.responseText, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
    return true;
  }

  function complaint(said) {
    const line = document.createElement("p");
    line.className = "fault";
    line.setAttribute("role", "alert");
    line.textContent = said;
    return line;
  }

  document.addEventListener("change", (event) => {
    const input = event.target.closest("input[type=file][data-upload]");
    if (!input || !input.files.length) return;
    const files = [...input.files];
    input.value = "";
    upload(input, files);
  });

  // An act waits for its files.
  document.addEventListener("submit", (event) => {
    if (!Number(event.target.dataset.sending)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const line = complaint(words().wait);
    event.target.append(line);
    setTimeout(() => line.remove(), 4000);
  }, true);

  const droppable = (event) => event.target.closest && event.target.closest("[data-droppable]");
  document.addEventListener("dragover", (event) => { if (droppable(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const place = droppable(event);
    if (!place) return;
    event.preventDefault();
    const input = one("input[type=file]", place);
    if (event.dataTransfer.files.length) upload(input, [...event.dataTransfer.files]);
  });

  /* ── The viewer ── */

  const viewer = () => one("#viewer");
  const TURNS = ["", "quarter", "half", "three-quarters"];
  let shown = null;

  function open(link) {
    const { view, pages, file } = link.dataset;
    shown = { url: link.getAttribute("href"), page: 1, pages: Number(pages), turn: 0, zoom: false, link };
    one("#viewer-title").textContent = view;
    one("[data-viewer-file]").href = file;
    viewer().hidden = false;
    draw();
    viewer().focus({ preventScroll: true });
  }

  function draw() {
    const image = one("[data-viewer-image]");
    const source = `${shown.url}?page=${shown.page}`;
    if (image.getAttribute("src") !== source) image.src = source;
    image.alt = one("#viewer-title").textContent;
    image.className = TURNS[shown.turn];
    one(".viewer-sheet").classList.toggle("zoomed", shown.zoom);
    one("[data-viewer=zoom]").setAttribute("aria-pressed", String(shown.zoom));
    one(".viewer-pages").hidden = shown.pages < 2;
    one("[data-viewer-page]").textContent = `${shown.page} / ${shown.pages}`;
  }

  function shut() {
    viewer().hidden = true;
    one("[data-viewer-image]").removeAttribute("src");
    if (shown && shown.link.isConnected) shown.link.focus({ preventScroll: true });
    shown = null;
  }

  const VIEWER = {
    before() { shown.page = Math.max(1, shown.page - 1); },
    after() { shown.page = Math.min(shown.pages, shown.page + 1); },
    turn() { shown.turn = (shown.turn + 1) % 4; },
    zoom() { shown.zoom = !shown.zoom; },
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-view]");
    if (link && viewer() && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      return open(link);
    }
    const key = event.target.closest("[data-viewer]");
    if (!key || !shown) {
      if (shown && event.target.matches("[data-viewer-image]")) { VIEWER.zoom(); draw(); }
      return undefined;
    }
    if (key.dataset.viewer === "shut") return shut();
    VIEWER[key.dataset.viewer]();
    return draw();
  });

  // Before the desk's own Escape, which gives an open form up.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !viewer() || viewer().hidden) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    shut();
  }, true);

  /* ── The kiosk's camera ── */

  let stream = null;

  // Yes at once, for listing the devices may take longer than a quick hand.
  async function tellOfCamera() {
    const place = one("[data-has-camera]");
    if (!place || !navigator.mediaDevices) return;
    place.value = "yes";
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some((device) => device.kind === "videoinput")) place.value = "no";
  }

  async function live() {
    const video = one("video[data-live]");
    if (!video) return rest();
    try {
      stream = stream || await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } },
      });
    } catch {
      return one("#answer").requestSubmit();
    }
    if (!one("video[data-live]")) return rest();
    one("video[data-live]").srcObject = stream;
    return undefined;
  }

  function rest() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
  }

  function taken(yes) {
    one("video[data-live]").hidden = yes;
    one("canvas[data-shot]").hidden = !yes;
    one("[data-shoot]").hidden = yes;
    one("[data-retake]").hidden = !yes;
    one("[data-use]").hidden = !yes;
  }

  function shoot() {
    const video = one("video[data-live]");
    const canvas = one("canvas[data-shot]");
    if (!video.videoWidth) return;
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    taken(true);
  }

  async function use(button) {
    const form = button.form;
    button.disabled = true;
    const bar = barAfter(one(".finder"));
    const fields = Object.fromEntries(new FormData(form));
    delete fields.file;
    const answer = await send(form.action, fields, await asJpeg(one("canvas[data-shot]")), bar);
    if (answer && swapIn(answer, "#screen")) return;
    button.disabled = false;
    bar.fail(answer ? faultOf(answer, "#screen") : words().failed);
  }

  document.addEventListener("click", (event) => {
    const key = event.target.closest("[data-shoot], [data-retake], [data-use]");
    if (!key) return;
    event.preventDefault();
    if (key.matches("[data-shoot]")) shoot();
    else if (key.matches("[data-retake]")) taken(false);
    else use(key);
  });

  document.addEventListener("htmx:afterSettle", () => { tellOfCamera(); live(); });
  tellOfCamera();
  live();
})();
