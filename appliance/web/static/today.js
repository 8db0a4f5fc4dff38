// The page Today, kept up to date: a visit's line comes with the news itself, everything else is read again from the server, at most
// every two seconds. What did not change is left alone, so that no face is loaded twice and no focus is lost.

import { listen } from "./stream.js";
import { startCameras } from "./cameras.js";

const AGAIN_MS = 2_000;
const parts = document.getElementById("parts");
const list = document.getElementById("just-now");
const line = document.getElementById("line");

function state(now) {
  line.dataset.state = now;
  line.firstElementChild.textContent = line.dataset[now] ?? "";
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

function showVisit({ id, html }) {
  const before = list.querySelector(`[data-visit="${CSS.escape(id)}"]`);
  const now = parsed(html).querySelector("[data-visit]");
  if (before && now) before.replaceWith(now);
  else if (before) before.remove();
  else if (now) {
    const after = [...list.children].find((row) => Number(row.dataset.at) <= Number(now.dataset.at));
    now.classList.add("fresh");
    list.insertBefore(now, after ?? null);
    while (list.children.length > Number(list.dataset.rows)) list.lastElementChild.remove();
  }
  refreshSoon();
}

let due = 0;
let readAt = 0;

function refreshSoon() {
  if (due) return;
  due = setTimeout(refresh, Math.max(100, readAt + AGAIN_MS - Date.now()));
}

async function refresh() {
  readAt = Date.now();
  try {
    const answer = await fetch("/today/parts", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    // Signed out meanwhile: the page itself leads to the sign-in.
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    takeOver(parsed(await answer.text()));
    due = 0;
  } catch {
    // Asked again until it is answered: what is shown must not stay old without anybody noticing.
    due = setTimeout(refresh, AGAIN_MS);
  }
}

function takeOver(fresh) {
  const cameras = document.querySelector('[data-part="cameras"]');
  const same = cameras.dataset.key === fresh.querySelector('[data-part="cameras"]').dataset.key;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const here = document.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    // A camera's panel holds its picture: it is exchanged only when there are other cameras, otherwise its words alone.
    if (!here || (here === cameras && same)) continue;
    if (here.innerHTML !== part.innerHTML) here.replaceChildren(...part.childNodes);
    here.className = part.className;
    for (const [name, value] of Object.entries(part.dataset)) here.dataset[name] = value;
  }
  const kept = new Map([...list.children].map((row) => [row.dataset.visit, row]));
  const rows = [...fresh.querySelectorAll("#just-now > [data-visit]")].map((row) => {
    const before = kept.get(row.dataset.visit);
    return before && before.innerHTML === row.innerHTML ? before : row;
  });
  if (rows.length !== list.children.length || rows.some((row, at) => list.children[at] !== row)) list.replaceChildren(...rows);
  startCameras(document);
}

parts.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-dismiss]");
  if (!form) return;
  event.preventDefault();
  try {
    const answer = await fetch(form.action, { method: "POST", redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.ok) form.remove();
  } catch {
    state("lost");
  }
  refreshSoon();
});

listen("/live", parts.dataset.mark, { state, visit: showVisit, changed: refreshSoon, reload: refreshSoon });
startCameras(document);
