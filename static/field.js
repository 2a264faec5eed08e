"use strict";
/* Reports from the field on a bad line. What is typed and photographed is kept in this phone's
   IndexedDB, under the case's number and whose it is, never a name or a NIK; photos go one by one,
   each with its key, then the report. Nothing is forgotten before the server said that it has it. */

(() => {
  const TRY_EVERY_MS = 10_000;
  const GIVE_UP_MS = 60_000;
  const LONGEST = 1600;
  const THUMB = 144;

  const mark = document.getElementById("field");
  if (!mark || !window.indexedDB) return;
  const owner = mark.dataset.owner;
  const form = document.getElementById("report");
  const words = form ? form.dataset : {};
  const here = form ? Number(words.case) : null;
  let sending = false;
  let stopped = "";

  /* ── What this phone keeps: drafts by case, photos by key ── */

  const answered = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

  const opened = (() => {
    const request = indexedDB.open("loket15-lapangan", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("drafts", { keyPath: "case" });
      request.result.createObjectStore("photos", { keyPath: "key" });
    };
    return answered(request);
  })();

  const store = async (name, mode) => (await opened).transaction(name, mode).objectStore(name);
  const every = async (name) => answered((await store(name, "readonly")).getAll());
  const keep = async (name, row) => answered((await store(name, "readwrite")).put(row));
  const drop = async (name, key) => answered((await store(name, "readwrite")).delete(key));
  const draftOf = async (id) => answered((await store("drafts", "readonly")).get(id));
  const photosOf = async (id) => (await every("photos")).filter((photo) => photo.case === id);

  // Another person's, left on a shared phone.
  async function dropOthers() {
    for (const draft of await every("drafts")) if (draft.owner !== owner) await drop("drafts", draft.case);
    for (const photo of await every("photos")) if (photo.owner !== owner) await drop("photos", photo.key);
  }

  async function forget() {
    for (const name of ["drafts", "photos"]) await answered((await store(name, "readwrite")).clear());
  }

  /* ── The form ── */

  const inputs = () => [...form.elements].filter((e) => e.name && !["hidden", "file", "submit"].includes(e.type));

  function typed() {
    const values = {};
    for (const input of inputs()) {
      if (input.type === "radio" && !input.checked) continue;
      values[input.name] = input.value;
    }
    return values;
  }

  function show(values) {
    for (const input of inputs()) {
      if (!(input.name in values)) continue;
      if (input.type === "radio") input.checked = input.value === values[input.name];
      else input.value = values[input.name];
    }
  }

  async function save(ready) {
    await keep("drafts", {
      case: here, owner, ready, seq: words.seq, values: typed(), label: form.elements.label.value,
      photos: words.photos, report: form.action,
    });
    await tell();
  }

  async function restore() {
    const draft = await draftOf(here);
    if (!draft) return;
    show(draft.values);
    // The case went on since: what was typed is shown again, and sent when asked again.
    if (draft.seq !== words.seq) await save(false);
  }

  /* ── Photos: shrunk before they are kept ── */

  function drawn(bitmap, longest) {
    const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  const jpeg = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.8));

  async function take(input) {
    const files = [...input.files];
    input.value = "";
    for (const file of files) {
      try {
        const bitmap = await createImageBitmap(file);
        const photo = {
          key: crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`.replace(".", ""),
          case: here, owner, field: input.name,
          blob: await jpeg(drawn(bitmap, LONGEST)), thumb: drawn(bitmap, THUMB).toDataURL("image/jpeg", 0.7),
        };
        await keep("photos", photo);
        hang(photo);
      } catch (fault) {
        if (!(fault instanceof DOMException)) throw fault;
        stopped = words.unreadable;
      }
    }
    const draft = await draftOf(here);
    await save(Boolean(draft && draft.ready));
    await send();
  }

  function hang(photo) {
    const shot = document.createElement("li");
    const image = document.createElement("img");
    const remove = document.createElement("button");
    shot.id = `shot-${photo.key}`;
    shot.className = "waiting";
    image.src = photo.thumb;
    image.alt = "";
    remove.type = "button";
    remove.className = "remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", words.remove);
    remove.addEventListener("click", async () => {
      await drop("photos", photo.key);
      shot.remove();
      await tell();
    });
    shot.append(image, remove);
    form.querySelector(`.photos[data-name="${photo.field}"] .shots`).append(shot);
  }

  /* ── The line ── */

  async function post(url, fields) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" };
    return fetch(url, { method: "POST", body, headers, signal: AbortSignal.timeout(GIVE_UP_MS) });
  }

  // A fragment of ours takes the place of the element with its id.
  function swap(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    const old = fresh && fresh.id && document.getElementById(fresh.id);
    if (old) old.replaceWith(fresh);
    return fresh;
  }

  const OVER = { 401: "signedOut", 404: "gone" };

  // What an answer that is no success means: try later, or say why not.
  async function refused(response, draft) {
    if (response.status >= 500) throw new TypeError("later");
    const html = await response.text();
    if (draft.case === here) {
      stopped = words[OVER[response.status]] || "";
      if (!OVER[response.status]) swap(html)?.focus();
    }
    if (response.status !== 401) {
      await keep("drafts", { ...draft, ready: false, over: response.status === 404 });
    }
  }

  async function refusedPhoto(response, photo) {
    await drop("photos", photo.key);
    document.getElementById(`shot-${photo.key}`)?.remove();
    swap(await response.text());
    stopped = words.unreadable || "";
  }

  async function sendPhotos(draft) {
    for (const photo of await photosOf(draft.case)) {
      const file = new File([photo.blob], "foto.jpg", { type: "image/jpeg" });
      const response = await post(draft.photos, { name: photo.field, key: photo.key, file });
      if (response.status === 422) {
        await refusedPhoto(response, photo);
        return false;
      }
      if (!response.ok) {
        await refused(response, draft);
        return false;
      }
      await drop("photos", photo.key);
      const shot = document.getElementById(`shot-${photo.key}`);
      if (shot) { shot.className = "sent"; shot.querySelector("button").remove(); }
      if (draft.case === here) swap(await response.text());
      await tell();
    }
    return true;
  }

  async function sendReport(draft) {
    const response = await post(draft.report, { ...draft.values, seq: draft.seq, label: draft.label });
    if (!response.ok) return refused(response, draft);
    await drop("drafts", draft.case);
    if (draft.case === here) location.assign(`${words.list}?sent=${encodeURIComponent(draft.label)}`);
    else if (!form) location.reload();
  }

  async function send() {
    if (sending || !navigator.onLine) return tell();
    sending = true;
    stopped = "";
    try {
      await tell();
      for (const { case: id, over } of await every("drafts")) {
        if (over || !await sendPhotos(await draftOf(id))) continue;
        const draft = await draftOf(id);
        if (draft && draft.ready) await sendReport(draft);
      }
    } catch (fault) {
      // No line, or it broke: the next try comes by itself.
      if (!(fault instanceof TypeError || fault instanceof DOMException)) throw fault;
    } finally {
      sending = false;
      await tell();
    }
  }

  /* ── What is sent and what waits, in words ── */

  async function tell() {
    const drafts = await every("drafts");
    for (const badge of document.querySelectorAll("[data-waits]")) {
      badge.hidden = !drafts.some((draft) => draft.case === Number(badge.dataset.waits));
    }
    if (!form) return;
    const draft = drafts.find((one) => one.case === here);
    const waiting = (await photosOf(here)).length;
    const lines = [];
    if (stopped) lines.push(stopped);
    else if (draft && sending) lines.push(words.sending);
    if (waiting && !sending) lines.push(`${waiting} ${words.waitingPhotos}.`);
    if (draft && draft.ready && !sending) lines.push(words.waitingReport);
    else if (draft && !sending) lines.push(words.kept);
    const line = document.getElementById("line");
    line.textContent = lines.join(" ");
    if (stopped && stopped === words.signedOut) line.append(" ", signInAgain());
    line.classList.toggle("waits", Boolean(stopped || waiting || (draft && draft.ready)));
  }

  function signInAgain() {
    const link = document.createElement("a");
    link.href = words.signIn;
    link.textContent = words.signInAgain;
    return link;
  }

  function tooFew() {
    for (const field of form.querySelectorAll(".photos")) {
      const sent = Number(field.querySelector("[data-sent]").dataset.sent);
      const waiting = field.querySelectorAll(".shots .waiting").length;
      if (sent + waiting < Number(field.dataset.least)) return field;
    }
    return null;
  }

  async function submit(event) {
    event.preventDefault();
    const few = tooFew();
    if (few) {
      few.classList.add("few");
      few.scrollIntoView({ block: "center" });
    }
    stopped = few ? words.few : "";
    if (few || !form.reportValidity()) return tell();
    await save(true);
    await send();
  }

  function changed(event) {
    for (const field of form.querySelectorAll(".photos")) field.classList.remove("few");
    if (event.target.type !== "file") save(false);
  }

  async function begin() {
    await dropOthers();
    if (form) {
      await restore();
      for (const photo of await photosOf(here)) hang(photo);
      form.addEventListener("input", changed);
      form.addEventListener("submit", submit);
      for (const input of form.querySelectorAll("input[type=file]")) {
        input.addEventListener("change", () => take(input));
      }
      form.dataset.live = "";
    }
    await send();
    window.addEventListener("online", send);
    window.addEventListener("offline", tell);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
    setInterval(send, TRY_EVERY_MS);
  }

  document.querySelector("form[action$='/keluar']").addEventListener("submit", async (event) => {
    event.preventDefault();
    await forget();
    event.target.submit();
  });

  begin();
})();
