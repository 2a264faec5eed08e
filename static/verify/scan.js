/* A letter's code by the camera of a laptop or phone, or from a photo; nothing leaves the browser.

   mount(root) wakes templates/verify/_scan.html up. A code of an office that is believed here leads
   to /v/<digits>; any other is named, never opened. The browser's own BarcodeDetector reads where
   there is one, else (or when that finds nothing) the library beside this file. */

const LONGEST_S = 60;
const PAUSE_MS = 90;
const FRUITLESS = 40; // frames that the browser's own reader may miss before the library helps
const PHOTO_SIDE = 2400;
const CROP = 0.6; // of the width: where one holds a letter
const CROP_SIDE = 1728; // a 35 mm code an arm's length from a webcam needs enlarging: 2 px a module
const CODE = /^(https?:\/\/\S+?)\/v\/([1-9][0-9]{192})$/i;

export function mount(root) {
  const part = (name) => root.querySelector(`[data-scan="${name}"]`);
  const [view, video, torch] = [part("view"), part("video"), part("torch")];
  let known = null;
  let camera = null; // {stream, until} while it runs

  function say(name, parts = {}) {
    const [said, words] = [part("said"), name && root.dataset[name]];
    const text = name ? words.replace(/{(\w+)}/g, (_, key) => parts[key]) : "";
    if (said.textContent !== text) said.textContent = text; // else each frame would be read aloud
    said.hidden = !name;
  }

  async function start() {
    say("");
    stop();
    const mine = (camera = { stream: null, until: performance.now() + LONGEST_S * 1000 });
    try {
      const stream = await navigator.mediaDevices.getUserMedia(WISHES);
      if (camera !== mine) return ended(stream);
      mine.stream = stream;
      await show(stream);
      await watch(mine);
    } catch (error) {
      if (camera !== mine) return;
      stop();
      say(FAULTS[error.name] || "broken");
    }
  }

  async function show(stream) {
    const [track] = stream.getVideoTracks();
    const { facingMode } = track.getSettings();
    const able = track.getCapabilities ? track.getCapabilities() : {};
    video.classList.toggle("mirrored", facingMode !== "environment");
    torch.hidden = !able.torch;
    torch.setAttribute("aria-pressed", "false");
    view.hidden = false;
    part("start").hidden = true;
    video.srcObject = stream;
    await video.play();
    view.scrollIntoView({ block: "nearest" });
    part("stop").focus({ preventScroll: true });
  }

  function stop() {
    if (camera && camera.stream) ended(camera.stream);
    camera = null;
    video.srcObject = null;
    view.hidden = true;
    part("start").hidden = !able();
  }

  async function watch(mine) {
    const read = await frames(video);
    while (camera === mine) {
      if (performance.now() > mine.until) {
        stop();
        return say("late");
      }
      const texts = await read();
      if (camera === mine && texts.length && (await follow(texts))) return;
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }

  /** True when a letter of an office that is believed here was found, and is being opened. */
  async function follow(texts) {
    known = known || addresses(root.dataset);
    const trusted = await known;
    const letters = new Set(texts.map((text) => letterOf(text, trusted)).filter(Boolean));
    if (letters.size === 1) {
      stop();
      say("found");
      location.assign(`/v/${[...letters][0]}`);
      return true;
    }
    if (letters.size) say("several");
    else say(...foreign(texts[0]));
    return false;
  }

  async function photo(file) {
    stop();
    say("reading");
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      return say("unreadable");
    }
    const texts = await inPhoto(picture);
    picture.close();
    if (texts.length) await follow(texts);
    else say("nothing");
  }

  async function light() {
    const on = torch.getAttribute("aria-pressed") !== "true";
    const [track] = camera.stream.getVideoTracks();
    await track.applyConstraints({ advanced: [{ torch: on }] }).catch(() => {});
    torch.setAttribute("aria-pressed", String(on));
  }

  part("start").addEventListener("click", start);
  part("stop").addEventListener("click", () => { stop(); part("start").focus(); });
  torch.addEventListener("click", light);
  part("photo").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) photo(file);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
  window.addEventListener("pagehide", stop);
  part("start").hidden = !able();
  root.hidden = typeof createImageBitmap !== "function";
}

/* ── The camera ── */

const WISHES = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1080 } },
};
const FAULTS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

const able = () => Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
const ended = (stream) => stream.getTracks().forEach((track) => track.stop());

/* ── What a code says ── */

async function addresses({ offices, own }) {
  try {
    const answer = await fetch(offices);
    const found = (await answer.json()).offices.map(({ address }) => address.toLowerCase());
    return [own.toLowerCase(), ...found];
  } catch {
    return [own.toLowerCase()];
  }
}

/** The digits of a letter whose address is that of an office which is believed here, else "". */
function letterOf(text, trusted) {
  if (/^[1-9][0-9]{192}$/.test(text)) return text;
  const found = CODE.exec(text.trim());
  return found && trusted.includes(found[1].toLowerCase()) ? found[2] : "";
}

function foreign(text) {
  try {
    const { protocol, host } = new URL(text);
    if (/^https?:$/.test(protocol)) return ["foreign", { address: host.slice(0, 80) }];
  } catch {
    // No address at all.
  }
  return ["other"];
}

/* ── Reading pictures ── */

let library;
const decoder = () => (library = library || import("./qr-0.7.0/decode.js"));

async function native() {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
  return formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
}

const canvas = document.createElement("canvas");

/** The pixels of a part of a picture (left, top, width, height), its longer side `side` long. */
function pixels(source, [x, y, width, height], side) {
  const scale = side / Math.max(width, height);
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  drawing.imageSmoothingQuality = "high";
  drawing.drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return drawing.getImageData(0, 0, canvas.width, canvas.height);
}

/** A function that reads the frame shown now: alternately the middle enlarged, and the whole. */
async function frames(video) {
  const detector = await native();
  let seen = 0;

  async function byLibrary() {
    const { decodeQR } = await decoder();
    const [width, height] = [video.videoWidth, video.videoHeight];
    const across = Math.round(width * (seen % 2 ? CROP : 1));
    const down = Math.min(height, seen % 2 ? Math.max(across, Math.round(height * CROP)) : height);
    const box = [(width - across) / 2, (height - down) / 2, across, down];
    try {
      return [decodeQR(pixels(video, box, seen % 2 ? CROP_SIDE : Math.max(width, height)))];
    } catch {
      return [];
    }
  }

  return async () => {
    if (!video.videoWidth) return [];
    seen += 1;
    if (!detector) return byLibrary();
    const texts = await detected(detector, video);
    return texts.length || seen < FRUITLESS ? texts : byLibrary();
  };
}

async function detected(detector, source) {
  const found = await detector.detect(source).catch(() => []);
  return found.map(({ rawValue }) => rawValue);
}

/** Every code of a photo: the whole in two sizes, then its quarters, until one is found. */
async function inPhoto(picture) {
  const detector = await native();
  const texts = detector ? await detected(detector, picture) : [];
  if (texts.length) return texts;
  const { decodeQRBatch } = await decoder();
  const { width, height } = picture;
  const longest = Math.max(width, height);
  const [w, h] = [width * CROP, height * CROP];
  const corners = [[0, 0], [width - w, 0], [0, height - h], [width - w, height - h]];
  const views = [
    [[0, 0, width, height], Math.min(longest, PHOTO_SIDE)],
    [[0, 0, width, height], Math.min(longest, PHOTO_SIDE / 2)],
    ...corners.map(([x, y]) => [[x, y, w, h], PHOTO_SIDE]),
  ];
  for (const [box, side] of views) {
    const [found] = await decodeQRBatch([pixels(picture, box, side)], { timeLimit: 200 });
    const read = found.filter((one) => typeof one === "string");
    if (read.length) return read;
  }
  return [];
}
