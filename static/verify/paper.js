/* NIK and name off the paper against the code, in this browser: five tries an hour for a letter.

   Anybody who holds the code could compute this, so the limit only slows idle guessing. It stands
   in this entry of the tab's history and goes with it: nothing is kept of who was checked. */

import { fits, plainName } from "./seal.js";

const TRIES = 5;
const TRY_MS = 3600 * 1000;

/** "fits", "differs", "enough" past the tries; "short" for no NIK and "" for no name cost none. */
export async function compare(core, nik, name) {
  if (nik.replace(/[^0-9]/g, "").length !== 16) return "short";
  if (!plainName(name)) return "";
  if (!spend()) return "enough";
  return (await fits(core, nik, name)) ? "fits" : "differs";
}

function spend() {
  const state = history.state || {};
  const tries = (state.tries || []).filter((at) => Date.now() - at < TRY_MS);
  if (tries.length >= TRIES) return false;
  history.replaceState({ ...state, tries: [...tries, Date.now()] }, "");
  return true;
}

/** The key files that are kept here, each with its status list; asked for where none are. */
export async function knownOffices(path) {
  const kept = "caches" in window ? await caches.match(path) : null;
  const { offices } = await (kept || (await fetch(path))).json();
  return offices;
}
