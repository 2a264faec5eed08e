/* The pages of the verification: works without a network after the first visit, and by camera.

   Without a secure context (http) there is neither; the page stays whole. */

const scan = document.getElementById("scan");

async function keep() {
  if (!("serviceWorker" in navigator) || typeof BigInt !== "function") return;
  const options = { scope: "/v", updateViaCache: "none" };
  const { active } = await navigator.serviceWorker.register("/sw.js", options);
  if (active) active.postMessage("refresh");
}

// htmx and app.js note which page a tab showed: which letter was checked is nobody's to know later.
function forget() {
  Object.entries(sessionStorage)
    .filter((entry) => entry.join(" ").includes("/v/"))
    .forEach(([key]) => sessionStorage.removeItem(key));
}

// The network went while NIK and name were typed: this browser compares them itself.
async function alone({ detail: { elt: form } }) {
  if (!form.closest(".matcher") || !("caches" in window)) return;
  if (!form.elements) {
    location.hash = "paper"; // The form itself did not come: the shell has one.
    location.reload();
    return;
  }
  const shell = await caches.match("/v/luring");
  if (!shell) return;
  const [{ compare, knownOffices }, { digitsIn, read }] = await Promise.all(
    ["paper", "seal"].map((name) => import(`/v/luring/verify/${name}.js`)),
  );
  const offices = await knownOffices("/.well-known/sk-offices.json");
  const { core } = await read(digitsIn(location.pathname), offices);
  if (!core) return;
  const said = await compare(core, form.elements.nik.value, form.elements.name.value);
  const kept = new DOMParser().parseFromString(await shell.text(), "text/html");
  const lines = kept.querySelector('[data-part="told"]').content;
  const line = lines.querySelector(`[data-match="${said}"], [data-${said || "none"}]`);
  if (!line) return;
  line.hidden = false;
  document.getElementById("match").replaceChildren(line);
}

document.addEventListener("htmx:sendError", alone);
document.addEventListener("htmx:timeout", alone);
window.addEventListener("pagehide", forget);
keep().catch(() => {}); // Private windows and some policies refuse it: then there is no offline page.
if (scan) import("./scan.js").then(({ mount }) => mount(scan));
