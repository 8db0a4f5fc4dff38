// Counts a pairing code's time down. The server's clock is what counts: only what passed since the page came is measured here.

const left = document.getElementById("left");
const words = left.firstElementChild;
const whole = Number(left.dataset.ends) - Number(left.dataset.now);
const began = performance.now();

function show() {
  const seconds = Math.max(0, Math.round((whole - (performance.now() - began)) / 1000));
  if (seconds === 0) {
    words.textContent = left.dataset.over;
    left.dataset.state = "lost";
    document.getElementById("code").classList.add("over");
    return;
  }
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  words.textContent = left.dataset.words.replace("{time}", time);
  left.dataset.state = "live";
  setTimeout(show, 1_000);
}

show();
