// What a page asks the server in the background. Each question has a time limit and goes round the browser's store.
//
// A form that leads away, such as the one that signs out, ends what is under way, and nothing new is asked while the browser waits for
// its answer: otherwise a question could arrive after the session has ended.
//
// Nothing that somebody wrote is thrown away because the session ended meanwhile: the page is not left, and says so.

const LEAVING_MS = 3_000;
const STILL_IN_MS = 3_000;
const underWay = new Set();
const told = [];
let quietUntil = 0;
let looking = null;
let sure = null;

addEventListener("submit", (event) => {
  // Forms that a script sends stay on the page.
  if (event.defaultPrevented) return;
  const form = event.target;
  if (sure !== form && place() && isWritten(form)) {
    event.preventDefault();
    if (!looking) sendIfStillIn(form, event.submitter);
    return;
  }
  sure = null;
  quietUntil = Date.now() + LEAVING_MS;
  for (const controller of underWay) controller.abort();
  for (const one of told) one(LEAVING_MS);
});

/** `one` is called with how many ms to wait before asking again, when a form leads away. A download leaves the page where it is. */
export function onLeaving(one) {
  told.push(one);
}

/** The server's answer, as from `fetch`. Signed out meanwhile, the page is loaded again, which leads to the sign-in, unless something is
 * written on it: no answer then. */
export async function ask(address, { limitMs = 10_000, ...options } = {}) {
  const wait = quietUntil - Date.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  const controller = new AbortController();
  const limit = setTimeout(() => controller.abort(), limitMs);
  underWay.add(controller);
  try {
    const answer = await fetch(address, { cache: "no-store", signal: controller.signal, ...options });
    if (answer.status !== 401) return answer;
  } finally {
    clearTimeout(limit);
    underWay.delete(controller);
  }
  if (place() && [...document.forms].some(isWritten)) saySignedOut();
  else location.reload();
  return new Promise(() => {});
}

/** Where a page says that somebody is signed out; it names what to ask whether they are. None where nobody signs in. */
function place() {
  return document.getElementById("signed-out");
}

/** Whether a form that changes something holds more than the page was made with. */
function isWritten(form) {
  if (form.getAttribute("method")?.toLowerCase() !== "post") return false;
  return [...form.elements].some((field) => {
    if (field.type === "hidden" || field.disabled) return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type === "file") return field.files.length > 0;
    if (field instanceof HTMLSelectElement) return isChosen(field);
    return (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) && field.value !== field.defaultValue;
  });
}

function isChosen(field) {
  const options = [...field.options];
  const usual = Math.max(0, options.findLastIndex((option) => option.defaultSelected));
  return field.multiple ? options.some((option) => option.selected !== option.defaultSelected) : field.selectedIndex !== usual;
}

/** With no answer it is sent all the same: the browser says what is wrong. */
async function sendIfStillIn(form, button) {
  looking = form;
  const limit = AbortSignal.timeout(STILL_IN_MS);
  const holds = await fetch(place().dataset.ask, { cache: "no-store", signal: limit }).then((answer) => answer.text()).catch(() => "");
  looking = null;
  if (holds === "no") return saySignedOut(true);
  place().hidden = true;
  sure = form;
  form.requestSubmit(button);
  // Where the browser did not send it, as with a field that is empty, it is asked anew next time.
  sure = null;
}

function saySignedOut(pressed = false) {
  place().hidden = false;
  if (pressed) place().scrollIntoView({ block: "center" });
}
