"use strict";
/* The verify page without a network. RELEASE stands before this text: see views/offline.py.

   Kept: the shell and its parts of one release, and the offices' public keys with their status
   lists. Never a page of a letter, nor which letters were checked. */

const PATIENCE_MS = 4000;
const KEPT = `luring ${RELEASE.version}`;
const KEYS = "luring kunci";
const LETTER = /^\/v(\/[0-9]+)?$/;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", (event) => {
  if (event.data === "refresh") event.waitUntil(refresh());
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin || request.method !== "GET") return;
  if (request.mode === "navigate" && LETTER.test(pathname)) event.respondWith(letter(request));
  else if (pathname === RELEASE.shell || RELEASE.parts.includes(pathname)) event.respondWith(kept(request, pathname));
  else if (pathname === RELEASE.offices) event.respondWith(networkOr(request, pathname));
  else if (pathname.startsWith("/static/verify/")) {
    event.respondWith(networkOr(request, pathname.replace("/static/", `${RELEASE.shell}/`)));
  }
});

async function install() {
  const cache = await caches.open(KEPT);
  const all = [RELEASE.shell, ...RELEASE.parts];
  await cache.addAll(all.map((path) => new Request(path, { cache: "no-cache" })));
  await refresh();
  await self.skipWaiting();
}

async function takeOver() {
  const old = (await caches.keys()).filter((name) => name !== KEPT && name !== KEYS);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/* ── Keys, status lists, and the shell in the language last chosen ── */

async function refresh() {
  await Promise.allSettled([renew(KEYS, RELEASE.offices, ofOffices), renew(KEPT, RELEASE.shell, ofThisRelease)]);
}

async function renew(name, path, fits) {
  const answer = await within(fetch(path, { cache: "no-cache" }));
  if (!answer.ok || answer.redirected || !fits(await answer.clone().text())) return;
  await (await caches.open(name)).put(path, answer);
}

const ofOffices = (json) => JSON.parse(json).offices.length > 0; // no page of a gate before the network
const ofThisRelease = (html) => html.includes(`data-version="${RELEASE.version}"`);

/* ── Answers ── */

/** The page of a letter from the server; the shell where it does not answer, or cannot. */
async function letter(request) {
  let answer;
  try {
    answer = await within(fetch(request));
  } catch {
    return (await shell("network")) || Response.error();
  }
  return answer.status < 500 ? answer : (await shell("server")) || answer;
}

async function shell(why) {
  const answer = await (await caches.open(KEPT)).match(RELEASE.shell);
  if (!answer) return null;
  const html = (await answer.text()).replace('data-why="none"', `data-why="${why}"`);
  return new Response(html, { headers: answer.headers });
}

async function kept(request, pathname) {
  return (await (await caches.open(KEPT)).match(pathname)) || fetch(request);
}

async function networkOr(request, pathname) {
  try {
    return await within(fetch(request));
  } catch {
    return (await caches.match(pathname)) || Response.error();
  }
}

/** The promise's value, unless it takes as long as a network that hangs. */
function within(promise) {
  let timer;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error("no answer")), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
