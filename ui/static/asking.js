// What a page asks the server in the background. Each question has a time limit and goes round the browser's store.
//
// A form that leads away, such as the one that signs out, ends what is under way, and nothing new is asked while the browser waits for
// its answer: otherwise a question could arrive after the session has ended.

const LEAVING_MS = 3_000;
const underWay = new Set();
const told = [];
let quietUntil = 0;

addEventListener("submit", (event) => {
  // Forms that a script sends stay on the page.
  if (event.defaultPrevented) return;
  quietUntil = Date.now() + LEAVING_MS;
  for (const controller of underWay) controller.abort();
  for (const one of told) one(LEAVING_MS);
});

/** `one` is called with how many ms to wait before asking again, when a form leads away. A download leaves the page where it is. */
export function onLeaving(one) {
  told.push(one);
}

/** The server's answer, as from `fetch`. Signed out meanwhile, the page is loaded again, which leads to the sign-in: no answer then. */
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
  location.reload();
  return new Promise(() => {});
}
