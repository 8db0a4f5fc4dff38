// The page Review by keyboard and touch: an answer is sent and the next case takes the place of this one, without loading the page anew.
// One answer at a time: what is pressed while one is under way is dropped, so that no key decides a case that nobody has seen yet.

import { ask } from "./asking.js";

const WAIT_MS = 15_000;
let busy = false;

function here() {
  return document.getElementById("review");
}

async function send(form) {
  if (busy) return;
  busy = true;
  here().setAttribute("aria-busy", "true");
  try {
    const answer = await ask(form.action, { method: "POST", limitMs: WAIT_MS });
    takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The form itself does it then, and the browser says what is wrong.
    form.submit();
  } finally {
    busy = false;
    here().removeAttribute("aria-busy");
  }
}

function takeOver(fresh) {
  const now = fresh.getElementById("review");
  if (!now) return location.reload();
  const key = document.activeElement?.dataset?.key;
  here().replaceChildren(...now.childNodes);
  const badge = fresh.querySelector("nav .count");
  document.querySelector("nav .count")?.replaceWith(badge ?? "");
  // Who works with the tab key stays on the same button; it is another form now.
  const again = key && here().querySelector(`[data-key="${CSS.escape(key)}"]`);
  (again ?? document.getElementById("question")).focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-act]")) return;
  event.preventDefault();
  send(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.matches("input, textarea, select")) return;
  const button = here().querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button) return;
  event.preventDefault();
  send(button.form);
});
