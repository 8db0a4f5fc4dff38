// The live pictures. Each camera that is on the screen of a visible page is asked for its newest picture at most five times a
// second; boxes and names are drawn over it from what came with that very picture. Nothing is asked while nobody looks.

import { ask } from "./asking.js";

const BETWEEN_MS = 200;
const NOTHING_NEW_MS = 250;
const FAILED_MS = 2_000;
const ANSWER_MS_MAX = 5_000;
const OLD_MS = 3_000;
const STALE_MS = 10_000;
// Room at the lower edge for the line that says how the camera is.
const STATE_PX = 28;
const BORDER_PX = 2;
const EDGE_PX = 4;

const started = new WeakSet();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function startCameras(root) {
  for (const panel of root.querySelectorAll("[data-camera]")) {
    if (!started.has(panel)) {
      started.add(panel);
      watch(panel);
    }
  }
}

function whenVisible() {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState === "visible") {
        document.removeEventListener("visibilitychange", look);
        resolve();
      }
    };
    document.addEventListener("visibilitychange", look);
  });
}

async function watch(panel) {
  const view = {
    panel,
    stage: panel.querySelector(".stage"),
    image: panel.querySelector("img"),
    boxes: panel.querySelector(".boxes"),
    age: panel.querySelector(".age"),
    address: `/cameras/${encodeURIComponent(panel.dataset.camera)}/picture`,
    number: 0,
    shownAt: 0,
    url: "",
    onScreen: true,
  };
  const observer = new IntersectionObserver((entries) => { view.onScreen = entries.at(-1).isIntersecting; });
  observer.observe(panel);
  while (panel.isConnected) {
    await whenVisible();
    const streams = panel.querySelector(".state").dataset.streams === "yes";
    const wait = view.onScreen && streams ? await newest(view) : FAILED_MS / 4;
    sayAge(view);
    await pause(wait);
  }
  observer.disconnect();
  if (view.url) URL.revokeObjectURL(view.url);
}

/** Asks once and shows what came; answers how long to wait before the next time. */
async function newest(view) {
  try {
    const answer = await ask(`${view.address}?after=${view.number}`, { limitMs: ANSWER_MS_MAX });
    if (answer.status === 204) return NOTHING_NEW_MS;
    if (answer.status !== 200) return FAILED_MS;
    const boxes = JSON.parse(answer.headers.get("regulars-boxes"));
    await show(view, await answer.blob(), boxes);
    view.number = Number(answer.headers.get("regulars-number"));
    return BETWEEN_MS;
  } catch {
    // A lost line or a picture that cannot be decoded: the page says so through its stream and the picture's age.
    return FAILED_MS;
  }
}

async function show(view, blob, boxes) {
  const before = view.url;
  const url = URL.createObjectURL(blob);
  const next = new Image();
  next.src = url;
  try {
    await next.decode();
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
  view.url = url;
  view.image.src = url;
  view.image.hidden = false;
  view.stage.style.aspectRatio = `${next.naturalWidth} / ${next.naturalHeight}`;
  view.stage.classList.toggle("tall", next.naturalHeight > next.naturalWidth);
  view.stage.classList.add("filled");
  view.shownAt = Date.now();
  draw(view.boxes, boxes);
  if (before) URL.revokeObjectURL(before);
}

/** Boxes jump with their picture: one that glided would still be on its way when the face is there already. */
function draw(layer, boxes) {
  const kept = new Map([...layer.children].map((element) => [element.dataset.id, element]));
  for (const box of boxes) {
    const element = kept.get(box.id) ?? layer.appendChild(made(box.id));
    kept.delete(box.id);
    element.className = `box ${box.kind}`;
    element.style.left = `${box.x * 100}%`;
    element.style.top = `${box.y * 100}%`;
    element.style.width = `${box.width * 100}%`;
    element.style.height = `${box.height * 100}%`;
    element.firstChild.textContent = box.label;
  }
  for (const element of kept.values()) element.remove();
  placeLabels(layer, boxes);
}

/** Each label goes below or above its face, to the right, the left or the picture's edge, wherever it lies inside the picture, on no other
 * label and, if that can be had, on nobody's face. */
function placeLabels(layer, boxes) {
  const { clientWidth: width, clientHeight: height } = layer;
  const taken = [];
  const faces = boxes.map((box) => ({ x: box.x * width, y: box.y * height, w: box.width * width, h: box.height * height }));
  const byId = new Map([...layer.children].map((element) => [element.dataset.id, element]));
  // The nearest people first: they have the largest faces and get the best places.
  for (const box of [...boxes].sort((one, other) => other.width - one.width)) {
    const element = byId.get(box.id);
    const label = element.firstChild;
    const [w, h] = [label.offsetWidth, label.offsetHeight];
    const [left, right] = [box.x * width, (box.x + box.width) * width - w];
    const [below, above] = [(box.y + box.height) * height + 6, box.y * height - 6 - h];
    const edge = Math.max(EDGE_PX, Math.min(left, width - w - EDGE_PX));
    const places = [below, above].flatMap((y) => [left, right, edge].map((x) => [x, y]));
    const off = ([x, y]) => (other) => x >= other.x + other.w || other.x >= x + w || y >= other.y + other.h || other.y >= y + h;
    const free = (place) =>
      place[0] >= 0 && place[1] >= 0 && place[0] + w <= width && place[1] + h <= height - STATE_PX && taken.every(off(place));
    const [x, y] = places.find((place) => free(place) && faces.every(off(place))) ?? places.find(free) ?? places[0];
    taken.push({ x, y, w, h });
    // Counted from inside the box's border.
    label.style.left = `${x - box.x * width - BORDER_PX}px`;
    element.classList.toggle("above", y < box.y * height);
  }
}

function made(id) {
  const element = document.createElement("div");
  element.dataset.id = id;
  element.append(document.createElement("b"));
  return element;
}

function sayAge(view) {
  const age = view.shownAt ? Date.now() - view.shownAt : 0;
  view.age.textContent = age > OLD_MS ? view.age.dataset.words.replace("{time}", new Date(view.shownAt).toLocaleTimeString("en-GB")) : "";
  view.stage.classList.toggle("stale", age > STALE_MS);
  if (age > STALE_MS) view.boxes.replaceChildren();
}
