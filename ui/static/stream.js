// News from the server while the page is looked at. Closed when it is hidden; opened again with the last mark, so that the
// server can say whether anything was missed. Silence counts as a lost line: the server is heard from every ten seconds.

import { ask, onLeaving } from "./asking.js";

const SILENCE_MS_MAX = 25_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 10_000;

/** `on` has one function for each kind of event (data, parsed), and `state(live | lost | opening | off)`. */
export function listen(address, firstMark, on) {
  document.documentElement.dataset.listens = "";
  let mark = firstMark;
  let source = null;
  let retryMs = RETRY_MS_MIN;
  let retry = 0;
  let silence = 0;

  function heard(event) {
    if (event.lastEventId) mark = event.lastEventId;
    clearTimeout(silence);
    silence = setTimeout(lost, SILENCE_MS_MAX);
  }

  function close() {
    clearTimeout(retry);
    clearTimeout(silence);
    if (source) source.close();
    source = null;
  }

  function lost() {
    close();
    on.state("lost");
    retry = setTimeout(open, retryMs);
    retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
  }

  function open() {
    close();
    source = new EventSource(`${address}?after=${encodeURIComponent(mark)}`);
    silence = setTimeout(lost, SILENCE_MS_MAX);
    // Closed for good: the server answered, and said no. Asked why, it leads whoever is signed out to the sign-in.
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) ask(address).then((answer) => answer.body.cancel(), () => {});
      lost();
    };
    source.addEventListener("hello", (event) => {
      heard(event);
      retryMs = RETRY_MS_MIN;
      on.state("live");
    });
    source.addEventListener("beat", heard);
    for (const kind of ["visit", "changed", "reload"]) {
      source.addEventListener(kind, (event) => {
        heard(event);
        const news = JSON.parse(event.data);
        on[kind](news);
        // For who has no line of their own: a page keeps one open.
        if (kind !== "visit") document.dispatchEvent(new CustomEvent("regulars:news", { detail: news }));
      });
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      close();
      on.state("off");
    } else if (!source) {
      on.state("opening");
      open();
    }
  });
  addEventListener("online", () => { if (!source) open(); });
  addEventListener("pagehide", close);
  onLeaving((ms) => {
    close();
    retry = setTimeout(open, ms);
  });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  if (document.visibilityState === "visible") {
    on.state("opening");
    open();
  }
}
