// Waits until the program that answers is another one than before, then goes on.

const back = document.querySelector("[data-back]").dataset.back;
let away = false;
const until = Date.now() + 60_000;

async function look() {
  try {
    const answer = await fetch("/static/icon.svg", { cache: "no-store", signal: AbortSignal.timeout(2_000) });
    if (away && answer.ok) return location.assign(back);
  } catch {
    away = true;
  }
  // A restart may be over between two looks.
  if (Date.now() < until) setTimeout(look, 150);
  else location.assign(back);
}

look();
