/* The seal of a letter, read and checked as docs/seal.md says: no page, no network, no server.

   An office is a key file as /.well-known/sk-keys.json publishes it; a day is an ISO date; times
   are UTC seconds. Needs a secure context (https, localhost, a file): crypto.subtle. */

const DIGITS = 193;
const LONGEST_TEXT = 4096;
const LONGEST_LIST = 8 * 1024 * 1024; // signs of a token whose list is full and does not shrink
const MOST_STATUSES = 2 ** 22; // bytes: four serials each
const LAST_SECOND = 253_402_300_799; // of the year 9999
const DAY_MS = 86_400_000;
const RESULTS = [1, 2, 3];
const APOSTROPHES_AND_MARKS = /['`\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u201b\u2032\u0300-\u036f]/gu;

const ascii = new TextEncoder();
const SIGNED = ascii.encode("SKDTKS1\0");
const CHECKED = ascii.encode("SKDTKS1-CHECK\0");

// Only for a browser whose WebCrypto has no Ed25519: most never fetch it.
const library = () => import("./noble-ed25519-3.2.0.js");

/* ── What was scanned, pasted or typed ── */

/** The code in an address with /v/…, else all digits with whatever stands between. */
export function digitsIn(text) {
  const cut = text.slice(0, LONGEST_TEXT);
  const address = /\/v\/([0-9]+)/.exec(cut);
  return address ? address[1] : cut.replace(/[^0-9]/g, "");
}

/** The offices whose code it can be: those of the address in the text, else all. */
export function officesOf(text, offices) {
  const found = /https?:\/\/\S*?(?=\/v\/[0-9])/i.exec(text.slice(0, LONGEST_TEXT));
  if (!found) return offices;
  const address = found[0].toLowerCase();
  const named = offices.filter((office) => (office.address || "").toLowerCase() === address);
  return named.length ? named : offices;
}

/** The key files in this JSON: one, a list, or an object with `offices`. Null where it is none. */
export function keyFilesIn(text) {
  try {
    const found = JSON.parse(text);
    const files = Array.isArray(found) ? found : found.offices || [found];
    return files.length && files.every(isKeyFile) ? files : null;
  } catch {
    return null;
  }
}

const isText = (value) => typeof value === "string";
const isDay = (value) => isText(value) && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value);

function isKeyFile(file) {
  const texts = [file.office, file.name, file.address, file.status_list];
  if (file.format !== "loket15-keys-1" || !texts.every(isText)) return false;
  const ids = new Set(file.keys.map((key) => key.key_id));
  return ids.size > 0 && ids.size === file.keys.length && file.keys.every(isKey);
}

function isKey(key) {
  if (!Number.isInteger(key.key_id) || !isText(key.alg) || !isText(key.key)) return false;
  const revoked = key.revoked_at === null || isDay(key.revoked_at);
  return revoked && isDay(key.not_before) && isDay(key.expires);
}

/* ── The code ── */

/** {ok, office, core, reason}: whose code this is and what it says, or why it is no one's.

    core: {keyId, serial, issued, validityDays, until, result, check, initials}; check is hex.
    reason: "", "malformed", "meaning", "unknown_key", "signature", "key_time" or "key_revoked". */
export async function read(digits, offices) {
  const payload = bytesOf(digits);
  if (!payload) return refusal("malformed");
  const core = coreOf(payload);
  if (!core) return refusal("meaning");
  let reason = "unknown_key";
  for (const office of offices) {
    const found = await readWith(office.keys, payload, core);
    if (!found) return { ok: true, office, core, reason: "" };
    if (found !== "unknown_key") reason = found;
  }
  return refusal(reason);
}

const refusal = (reason) => ({ ok: false, office: null, core: null, reason });

function bytesOf(digits) {
  // Before BigInt, whose time grows faster than the digits.
  if (digits.length !== DIGITS || !/^[1-9][0-9]*$/.test(digits)) return null;
  const hex = BigInt(digits).toString(16);
  if (hex.length !== 161 || hex[0] !== "1") return null;
  return fromHex(hex.slice(1));
}

function coreOf(payload) {
  const view = new DataView(payload.buffer);
  const result = view.getUint8(9);
  const initials = String.fromCharCode(...payload.slice(13, 16));
  const known = view.getUint8(0) === 1 && RESULTS.includes(result);
  if (!known || !/^[A-Z]{0,3}\0*$/.test(initials)) return null;
  const [day, validityDays] = [view.getUint16(5), view.getUint16(7)];
  return {
    keyId: view.getUint8(1),
    serial: view.getUint16(2) * 256 + view.getUint8(4),
    issued: isoDay(day),
    validityDays,
    until: isoDay(day + validityDays - 1),
    result,
    check: toHex(payload.slice(10, 13)),
    initials: initials.replace(/\0/g, ""),
  };
}

/** Why these keys do not believe the code, or "". */
async function readWith(keys, payload, core) {
  const key = keys.find((one) => one.alg === "Ed25519" && one.key_id === core.keyId);
  if (!key) return "unknown_key";
  const message = joined(SIGNED, payload.slice(0, 16));
  if (!(await signedBy(key, payload.slice(16), message))) return "signature";
  if (core.issued < key.not_before || core.issued > key.expires) return "key_time";
  if (key.revoked_at !== null && core.issued >= key.revoked_at) return "key_revoked";
  return "";
}

/* ── Ed25519 ── */

const ED25519 = { name: "Ed25519" };

async function signedBy(key, signature, message) {
  const publicKey = fromBase64(key.key);
  if (!publicKey || publicKey.length !== 32 || signature.length !== 64) return false;
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", publicKey, ED25519, false, ["verify"]);
  } catch {
    const { verifyAsync } = await library();
    return verifyAsync(signature, message, publicKey, { zip215: false });
  }
  return crypto.subtle.verify(ED25519, imported, signature, message);
}

/* ── The paper ── */

/** A name as a person may type it again: A-Z, 0-9 and single spaces; apostrophes close up. */
export function plainName(name) {
  const decomposed = name.replace(APOSTROPHES_AND_MARKS, "").normalize("NFKD").toUpperCase();
  return (decomposed.replace(APOSTROPHES_AND_MARKS, "").match(/[A-Z0-9]+/g) || []).join(" ");
}

/** Whether NIK and name as typed off the paper are those that were sealed. */
export async function fits(core, nik, name) {
  const serial = Uint8Array.of(core.serial >> 16, (core.serial >> 8) & 255, core.serial & 255);
  const typed = ascii.encode(`${nik.replace(/[^0-9]/g, "")}\0${plainName(name)}`);
  const hash = await crypto.subtle.digest("SHA-256", joined(CHECKED, serial, typed));
  return toHex(new Uint8Array(hash, 0, 3)) === core.check;
}

/* ── The status list ── */

/** {value, madeAt, expiresAt}: 0 valid, 1 revoked, 2 suspended or not issued, 3 replaced, or null.

    The times are null when the list is not believed at all; value is null when it is too old or
    does not reach this serial. */
export async function statusOf(jwt, office, serial, nowSeconds) {
  const unknown = { value: null, madeAt: null, expiresAt: null };
  try {
    const claims = await claimsOf(jwt, office);
    if (!claims) return unknown;
    const { iat, exp, status_list: list } = claims;
    const value = nowSeconds < exp ? valueIn(await inflated(list), serial) : null;
    return { value, madeAt: iat, expiresAt: exp };
  } catch {
    return unknown;
  }
}

/** The claims of a token that this office's keys signed, else null. */
async function claimsOf(jwt, office) {
  if (typeof jwt !== "string" || jwt.length > LONGEST_LIST) return null;
  const parts = jwt.split(".");
  if (parts.length !== 3) return null;
  const header = jsonOf(parts[0]);
  if (header.alg !== "EdDSA" || header.typ !== "statuslist+jwt" || "crit" in header) return null;
  const key = office.keys.find((one) => one.alg === "Ed25519" && String(one.key_id) === header.kid);
  const message = ascii.encode(`${parts[0]}.${parts[1]}`);
  if (!key || !(await signedBy(key, fromBase64(parts[2]), message))) return null;
  const claims = jsonOf(parts[1]);
  return believed(claims, key, office) ? claims : null;
}

function believed(claims, key, office) {
  if (!isTime(claims.iat) || !isTime(claims.exp)) return false;
  if (office.status_list && claims.sub !== office.status_list) return false;
  const made = utcDay(claims.iat);
  return made >= key.not_before && made <= key.expires && key.revoked_at === null;
}

async function inflated(list) {
  if (list.bits !== 2) throw new TypeError("not two bits a letter");
  const packed = new Blob([fromBase64(list.lst)]).stream();
  const reader = packed.pipeThrough(new DecompressionStream("deflate")).getReader();
  const pieces = [];
  let size = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    size += piece.value.length;
    if (size > MOST_STATUSES) {
      reader.cancel();
      throw new RangeError("longer than all serials");
    }
    pieces.push(piece.value);
  }
  return joined(...pieces);
}

function valueIn(statuses, serial) {
  const byte = statuses[serial >> 2];
  return byte === undefined ? null : (byte >> (2 * (serial & 3))) & 3;
}

/* ── All of it ── */

const STATUS = ["sah", "dicabut", "ditangguhkan", "diganti"];

/** {result, fits, office, core, madeAt, reason}: what a verifier says of a text.

    `nik` and `name` are null where nothing is compared, then so is `fits`; `statusLists` holds the
    last token known of each office, by its code. `today` is the verifier's own date. */
export async function verify({ text, offices, nik, name, today, now, statusLists }) {
  const { ok, office, core, reason } = await read(digitsIn(text), officesOf(text, offices));
  const bad = { result: "tanda_tangan_tidak_sah", fits: null, office, core, madeAt: null, reason };
  if (!ok) return bad;
  const jwt = (statusLists || {})[office.office];
  const { value, madeAt } = await statusOf(jwt, office, core.serial, now);
  const compared = typeof nik === "string" && typeof name === "string";
  return {
    result: resultOf(core, value, madeAt, today),
    fits: compared ? await fits(core, nik, name) : null,
    office,
    core,
    madeAt,
    reason,
  };
}

function resultOf(core, value, madeAt, today) {
  // A list of that day may be older than the letter, which was not yet issued then.
  const said = value === 2 && core.issued >= utcDay(madeAt) ? null : value;
  if (said) return STATUS[said];
  if (today > core.until) return "kedaluwarsa";
  return said === null ? "status_belum_dapat_dicek" : STATUS[said];
}

/* ── Bytes, days ── */

const isoDay = (days) => new Date(days * DAY_MS).toISOString().slice(0, 10);
const utcDay = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
const isTime = (value) => Number.isInteger(value) && value >= 0 && value <= LAST_SECOND;
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));

function joined(...pieces) {
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The bytes of base64url without padding (RFC 7515), else null. */
function fromBase64(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

function jsonOf(part) {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64(part)));
}
