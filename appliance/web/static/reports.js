// Draws the charts of the page Reports in the colours of the style sheet, anew when the system turns dark or light; says how far a paper is.

import { ask } from "./asking.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const STATE_MS = 400;
const PAPER_MS_MAX = 180_000;
// Between thousands and before decimals, as the rest of the page has them.
const MARKS = {
  en: { thousands: "\u202f", decimal: ".", grouping: [3], currency: ["", ""] },
  vi: { thousands: ".", decimal: ",", grouping: [3], currency: ["", ""] },
};

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  const axis = { labelColor: of("--ink-2"), titleColor: of("--ink-2"), gridColor: of("--line"), domainColor: of("--line"), tickColor: of("--line"), labelFontSize: 12 };
  const ramp = dark.matches ? ["#262622", "#1f5a4f", "#3fae99", "#bff0e4"] : ["#f1efe9", "#9fcdc2", "#0f7a68", "#0a4238"];
  return {
    font: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
    background: "transparent",
    view: { stroke: null },
    axis,
    legend: { labelColor: of("--ink-2"), title: null, orient: "top", labelFontSize: 12, symbolType: "square", labelLimit: 220, ...(innerWidth < 560 ? { columns: 2 } : {}) },
    range: { category: [of("--bar-new"), of("--bar-back"), of("--bar-unsure"), of("--edge")], heatmap: ramp },
    bar: { color: of("--bar-back") },
    line: { color: of("--bar-back"), strokeWidth: 2.5 },
    point: { color: of("--bar-back"), filled: true, size: 46 },
  };
}

const drawn = new Map();

async function draw(place) {
  const spec = JSON.parse(document.getElementById(`spec-${place.dataset.chart}`).content.textContent);
  try {
    drawn.get(place)?.finalize();
    const made = await window.vegaEmbed(place, spec, {
      // No `eval` and no style of its own: the page's security policy allows neither.
      ast: true, actions: false, defaultStyle: false, renderer: "canvas", config: colours(),
      tooltip: { disableDefaultStyle: true, theme: "custom" },
      formatLocale: MARKS[document.documentElement.lang] ?? MARKS.en,
    });
    drawn.set(place, made);
    place.dataset.drawn = "yes";
  } catch (error) {
    place.replaceChildren();
    place.classList.add("failed");
    console.warn(error);
  }
}

async function drawAll() {
  const places = document.querySelectorAll("[data-chart]");
  for (const place of places) {
    if (window.vegaEmbed) await draw(place);
    else place.classList.add("failed");
  }
}

// Charts cost time: those further down come when somebody comes near them.
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    near.unobserve(entry.target);
    if (window.vegaEmbed) draw(entry.target);
    else entry.target.classList.add("failed");
  }
}, { rootMargin: "400px" });
for (const place of document.querySelectorAll("[data-chart]")) near.observe(place);
dark.addEventListener("change", () => { if (drawn.size) drawAll(); });

// Days chosen by hand are shown only when they are meant.
const range = document.getElementById("range");
const byHand = document.querySelector(".by-hand");
function fit() {
  byHand.hidden = range.value !== "";
  for (const input of byHand.querySelectorAll("input")) input.disabled = byHand.hidden;
}
range.addEventListener("change", () => {
  fit();
  if (range.value !== "") {
    // By day, week or month follows from the length, until somebody chooses.
    document.getElementById("step").disabled = true;
    range.form.requestSubmit();
  }
});
for (const select of document.querySelectorAll("#filters select:not(#range)")) select.addEventListener("change", () => select.form.requestSubmit());
fit();

// A paper or a picture takes seconds: said meanwhile, and the page stays.
const said = document.getElementById("making");

async function make(link) {
  link.setAttribute("aria-busy", "true");
  said.textContent = said.dataset.starts;
  const look = setInterval(async () => {
    const stands = await ask("/reports/progress").then((answer) => answer.json()).catch(() => null);
    if (stands?.of) said.textContent = said.dataset.drawing.replace("{done}", stands.done + 1).replace("{of}", stands.of);
  }, STATE_MS);
  try {
    const answer = await ask(link.href, { limitMs: PAPER_MS_MAX });
    if (!answer.ok) throw new Error(String(answer.status));
    const named = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "");
    const file = document.createElement("a");
    file.href = URL.createObjectURL(await answer.blob());
    file.download = named ? named[1] : "report";
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 60_000);
    said.textContent = "";
  } catch {
    said.textContent = said.dataset.failed;
  } finally {
    clearInterval(look);
    link.removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-make]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.getAttribute("aria-busy") !== "true") make(link);
});
