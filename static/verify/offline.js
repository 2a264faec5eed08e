/* The shell of the verify page (templates/verify/offline.html): the answer from what is kept here.

   The digits come from the address. The offices' keys and status lists come from the cache that
   sw.js keeps, or from the server where there is none. Nothing is written down. */

import { compare, knownOffices } from "./paper.js";
import { digitsIn, statusOf, verify } from "./seal.js";
import { mount } from "./scan.js";

const KNOCK_MS = 10_000;
const PATIENCE_MS = 4000;
const DIGITS = 193;

const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const made = (selector) => one(selector).content.cloneNode(true);
const filled = (text, parts) => text.replace(/{(\w+)}/g, (_, key) => parts[key]);
const words = one('[data-part="words"]').dataset;
const { zone, zoneName } = document.body.dataset;
const english = document.documentElement.lang === "en";
const nowSeconds = () => Math.floor(Date.now() / 1000);

/* ── The answer ── */

const listsOf = (offices) => Object.fromEntries(offices.map(({ office, status }) => [office, status]));

async function answer(digits) {
  const offices = await knownOffices(one("#scan").dataset.offices).catch(() => []);
  if (!offices.length) return refuse();
  const [now, statusLists] = [nowSeconds(), listsOf(offices)];
  const asked = { text: digits, offices, nik: null, name: null, today: today(), now, statusLists };
  const found = await verify(asked);
  head(found);
  const place = one("#answer");
  if (found.core) place.append(...(await told(found, statusLists, now)));
  place.append(one(".meaning", made(`[data-answer="${found.result}"]`)));
  if (found.reason === "unknown_key") place.append(paragraph("notice warn", words.newer));
  place.append(paragraph("", another()));
  return undefined;
}

/** Nothing kept is no forgery: there is no answer. */
function refuse() {
  one("#answer").append(paragraph("notice warn", words.unable));
  ask();
}

function head({ result, office }) {
  const banner = one(".verdict", made(`[data-answer="${result}"]`));
  const headline = document.createElement("h1");
  const [line, name] = [one(".verdict-headline", banner), one(".verdict-office", banner)];
  headline.className = line.className;
  headline.textContent = line.textContent;
  headline.tabIndex = -1;
  line.replaceWith(headline);
  if (office) name.textContent = office.name;
  else name.remove();
  document.title = `${headline.textContent} · ${document.title.split(" · ").pop()}`;
  one("#head").replaceChildren(banner);
  headline.focus({ preventScroll: true });
  one("#answer").replaceChildren();
}

async function told(found, statusLists, now) {
  const { core, office } = found;
  const parts = made('[data-part="told"]');
  const fill = (name, text) => { one(`[data-fill="${name}"]`, parts).textContent = text; };
  fill("valid", `${longDay(core.issued)} – ${longDay(core.until)}`);
  fill("initials", core.initials.split("").join(". "));
  const { value, madeAt, expiresAt } = await statusOf(statusLists[office.office], office, core.serial, now);
  const age = one(".luring-age", parts);
  age.textContent = aged(ageWords({ value, madeAt, late: now >= expiresAt, found }), madeAt, now);
  age.hidden = false;
  matching(one("#paper", parts), core);
  return parts.children;
}

function ageWords({ value, madeAt, late, found }) {
  if (!madeAt) return words.never;
  if (late) return words.old;
  if (value === null || found.result === "status_belum_dapat_dicek") return words.missing;
  return value ? words.age : `${words.age} ${words.since}`;
}

/* ── The paper ── */

function matching(form, core) {
  form.closest("details").open = location.hash === "#paper";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const nik = one("#nik", form);
    const said = await compare(core, nik.value, one("#name", form).value);
    all("[data-match]", form).forEach((line) => { line.hidden = line.dataset.match !== said; });
    one("[data-short]", form).hidden = said !== "short";
    nik.setAttribute("aria-invalid", String(said === "short"));
  });
}

/* ── Words ── */

function paragraph(kind, ...what) {
  const line = document.createElement("p");
  line.className = kind;
  line.append(...what);
  return line;
}

function another() {
  const link = document.createElement("a");
  link.className = "button wide";
  link.href = "/v";
  link.textContent = words.again;
  return link;
}

const inZone = (options) => new Intl.DateTimeFormat(english ? "en-GB" : "id-ID", { timeZone: zone, ...options });
const day = (date) => inZone({ day: "numeric", month: "long", year: "numeric" }).format(date);
const longDay = (iso) => inZone({ day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(iso));
const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());

function aged(text, madeAt, now) {
  if (!madeAt) return text;
  const date = new Date(madeAt * 1000);
  const time = inZone({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date).replace(":", ".");
  return filled(text, { day: day(date), time, zone: zoneName, ago: ago(Math.max(0, now - madeAt)) });
}

function ago(seconds) {
  const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"]].find(([least]) => seconds >= least) || [60, "minute"];
  return new Intl.RelativeTimeFormat(english ? "en" : "id").format(-Math.floor(seconds / size), unit);
}

/* ── Without digits: type, paste or scan them ── */

function ask() {
  one("#ask").hidden = false;
  one("#typed").addEventListener("submit", (event) => {
    event.preventDefault();
    const digits = digitsIn(one("#kode").value);
    if (digits.length === DIGITS) return location.assign(`/v/${digits}`);
    const fault = one("[data-needed]");
    fault.textContent = filled(words.needed || (words.needed = fault.textContent), { needed: DIGITS, found: digits.length });
    fault.hidden = false;
    one("#kode").setAttribute("aria-invalid", "true");
    return one("#kode").focus();
  });
}

/* ── The server again ── */

function banner(why) {
  one("#banner").hidden = why === "none";
  all("#banner [data-why]").forEach((line) => { line.hidden = line.dataset.why !== why; });
}

/** Knock until the server answers, then ask it; who has begun to type decides when. */
async function knock() {
  try {
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), PATIENCE_MS);
    const options = { method: "HEAD", cache: "no-store", signal: stop.signal };
    const { status } = await fetch(location.href, options).finally(() => clearTimeout(late));
    if (status < 500) return back();
  } catch {
    // Still away.
  }
  setTimeout(knock, KNOCK_MS);
  return undefined;
}

function back() {
  if (all("input, textarea").some((field) => field.value)) banner("back");
  else location.reload();
}

/* ── */

const { why } = document.body.dataset;
const digits = digitsIn(location.pathname);
banner(why);
mount(one("#scan"));
one("[data-again]").addEventListener("click", () => location.reload());
if (digits) answer(digits);
else ask();
if (why !== "none") {
  setTimeout(knock, KNOCK_MS);
  window.addEventListener("online", knock);
}
