// The newest alert at the top of every page, the moment it comes. Pages that have a line to the server open already share it; the others
// open one for this. Who may not see alerts is told none.

import { ask } from "./asking.js";
import { listen } from "./stream.js";

const place = document.getElementById("alert-banner");
const onAlerts = location.pathname === "/alerts";
let shown = "";
let due = 0;

async function refresh() {
  due = 0;
  try {
    const answer = await ask("/alerts/banner", { redirect: "error" });
    if (answer.ok) show((await answer.text()).trim());
  } catch {
    // A lost line is said by the page itself; the next news asks again.
  }
}

function show(html) {
  if (html === shown) return;
  const first = shown === "" && !place.dataset.read;
  shown = html;
  place.dataset.read = "yes";
  if (onAlerts) {
    // The page has it whole: it is read again, unless somebody is about to answer or it is what the page was made with.
    if (!first && !document.activeElement?.closest("form")) location.reload();
    return;
  }
  place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
}

function soon() {
  due ||= setTimeout(refresh, 200);
}

if (place) {
  document.addEventListener("regulars:news", (event) => {
    if (event.detail.what === undefined || event.detail.what === "AlertsChanged") soon();
  });
  addEventListener("load", () => {
    soon();
    if ("listens" in document.documentElement.dataset) return;
    const nothing = () => {};
    listen("/alerts/news", "", { state: nothing, visit: nothing, changed: nothing, reload: nothing });
  });
}
