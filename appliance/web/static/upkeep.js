// A page that is kept up to date while it is looked at: a visit's line comes with the news itself, everything else is read again from
// `address`, at most every two seconds. What did not change is left alone, so that no face is loaded twice and no focus is lost.
//
// The page has #parts (with the mark of its news), #line (the state of the connection) and, if it lists visits, #just-now.

import { ask } from "./asking.js";
import { listen } from "./stream.js";
import { startCameras } from "./cameras.js";

const AGAIN_MS = 2_000;

/** Answers `refreshSoon`, for what the page itself changes, and `state`. */
export function keepUp(address) {
  const parts = document.getElementById("parts");
  const list = document.getElementById("just-now");
  const line = document.getElementById("line");
  let due = 0;
  let readAt = 0;

  function state(now) {
    line.dataset.state = now;
    line.firstElementChild.textContent = line.dataset[now] ?? "";
  }

  function showVisit({ id, html }) {
    if (list) placeVisit(list, id, parsed(html).querySelector("[data-visit]"));
    refreshSoon();
  }

  function refreshSoon() {
    if (due) return;
    due = setTimeout(refresh, Math.max(100, readAt + AGAIN_MS - Date.now()));
  }

  async function refresh() {
    readAt = Date.now();
    try {
      const answer = await ask(address);
      if (!answer.ok) throw new Error(String(answer.status));
      takeOver(parsed(await answer.text()), list);
      due = 0;
    } catch {
      // Asked again until it is answered: what is shown must not stay old without anybody noticing.
      due = setTimeout(refresh, AGAIN_MS);
    }
  }

  listen("/live/news", parts.dataset.mark, { state, visit: showVisit, changed: refreshSoon, reload: refreshSoon });
  startCameras(document);
  return { refreshSoon, state };
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

function placeVisit(list, id, now) {
  const before = list.querySelector(`[data-visit="${CSS.escape(id)}"]`);
  if (before && now) before.replaceWith(now);
  else if (before) before.remove();
  else if (now) {
    const after = [...list.children].find((row) => Number(row.dataset.at) <= Number(now.dataset.at));
    now.classList.add("fresh");
    list.insertBefore(now, after ?? null);
    while (list.children.length > Number(list.dataset.rows)) list.lastElementChild.remove();
  }
}

function takeOver(fresh, list) {
  const cameras = document.querySelector('[data-part="cameras"]');
  const same = cameras?.dataset.key === fresh.querySelector('[data-part="cameras"]')?.dataset.key;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const here = document.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    // A camera's panel holds its picture: it is exchanged only when there are other cameras, otherwise its words alone.
    if (!here || (here === cameras && same)) continue;
    if (here.innerHTML !== part.innerHTML) here.replaceChildren(...part.childNodes);
    here.className = part.className;
    for (const [name, value] of Object.entries(part.dataset)) here.dataset[name] = value;
  }
  if (list) {
    const kept = new Map([...list.children].map((row) => [row.dataset.visit, row]));
    const rows = [...fresh.querySelectorAll("#just-now > [data-visit]")].map((row) => {
      const before = kept.get(row.dataset.visit);
      return before && before.innerHTML === row.innerHTML ? before : row;
    });
    if (rows.length !== list.children.length || rows.some((row, at) => list.children[at] !== row)) list.replaceChildren(...rows);
  }
  startCameras(document);
}
