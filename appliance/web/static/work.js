// How far long work is, once a second while it goes on; the page is loaded again when it has ended.

import { ask } from "./asking.js";

const place = document.getElementById("work");

async function look() {
  try {
    const answer = await ask("/settings/work");
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.querySelector('[data-work="under-way"]')) return location.reload();
    const [now, before] = [fresh.querySelector("progress"), place.querySelector("progress")];
    if (now?.hasAttribute("value")) before.value = now.value;
  } catch {
    // Asked again in a second: the line may be lost for a moment.
  }
  setTimeout(look, 1_000);
}

if (place?.querySelector('[data-work="under-way"]')) setTimeout(look, 500);
