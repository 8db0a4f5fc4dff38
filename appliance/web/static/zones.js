// Zones of a camera's picture that are ignored, drawn over it: by mouse, by thumb and by keyboard. A zone is a list of corners, each two
// numbers from 0 to 1; the form's hidden field `ignored` holds them all. Without this script the zones stay as they are.

import { startCameras } from "./cameras.js";

const STEP = 0.01;
const STEP_FAR = 0.05;
const CORNERS_MIN = 3;
const SVG = "http://www.w3.org/2000/svg";
const FIRST = [[0.35, 0.3], [0.65, 0.3], [0.65, 0.7], [0.35, 0.7]];
const NEXT_BESIDE = 0.04;

const field = document.getElementById("ignored");
const layer = document.getElementById("zones");
const says = document.getElementById("zone-says");
const add = document.getElementById("zone-add");
const remove = document.getElementById("zone-remove");
const removeCorner = document.getElementById("corner-remove");
const saved = field.value;
const { zonesMax, cornersMax } = layer.dataset;

let zones = read();
let chosen = zones.length ? 0 : -1;
let picked = -1; // the chosen zone's corner that was touched last
let leaving = false;

function read() {
  try {
    return field.value ? JSON.parse(field.value) : [];
  } catch {
    return [];
  }
}

const within = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4;
const words = (name, values) => Object.entries(values).reduce((said, [key, value]) => said.replace(`{${key}}`, value), layer.dataset[name]);

/** `focus`: the key of the handle that is to have it; without one whatever has it keeps it. */
function changed(focus) {
  field.value = zones.length ? JSON.stringify(zones) : "";
  for (const part of ["zone-save", "zone-unsaved"]) document.getElementById(part).hidden = field.value === saved;
  draw(focus);
}

function made(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function draw(focus = document.activeElement?.dataset?.key) {
  const shapes = made("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const [at, zone] of zones.entries()) {
    const shape = made("polygon", { points: zone.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" "), class: at === chosen ? "chosen" : "" });
    shape.addEventListener("pointerdown", (event) => { pick(at, -1); drag(event, moveZone(at)); });
    shapes.append(shape);
  }
  layer.replaceChildren(shapes, ...zones.flatMap((zone, at) => handles(zone, at)));
  remove.hidden = chosen < 0;
  removeCorner.hidden = chosen < 0 || picked < 0 || zones[chosen].length <= CORNERS_MIN;
  add.disabled = zones.length >= Number(zonesMax);
  if (focus) layer.querySelector(`[data-key="${focus}"]`)?.focus();
}

/** Each zone's corners can be reached with Tab; those between, which make a new corner, only of the chosen zone. */
function handles(zone, at) {
  const corners = zone.map((point, corner) => {
    const [x, y] = point;
    const label = words("corner", { zone: at + 1, corner: corner + 1, x: Math.round(x * 100), y: Math.round(y * 100) });
    const handle = button("corner", point, label, `${at}-${corner}`);
    handle.classList.toggle("chosen", at === chosen);
    handle.classList.toggle("picked", at === chosen && corner === picked);
    handle.addEventListener("focus", () => pick(at, corner));
    handle.addEventListener("pointerdown", (event) => { pick(at, corner); drag(event, moveCorner(at, corner)); });
    handle.addEventListener("keydown", (event) => keyed(event, at, corner));
    return handle;
  });
  if (at !== chosen || zone.length >= Number(cornersMax)) return corners;
  const between = zone.map(([x, y], corner) => {
    const [nextX, nextY] = zone[(corner + 1) % zone.length];
    const handle = button("between", [(x + nextX) / 2, (y + nextY) / 2], words("between", { zone: at + 1 }), `${at}-${corner}-next`);
    const split = () => {
      zone.splice(corner + 1, 0, [within((x + nextX) / 2), within((y + nextY) / 2)]);
      picked = corner + 1;
      changed(`${at}-${picked}`);
    };
    handle.addEventListener("pointerdown", (event) => { split(); drag(event, moveCorner(at, corner + 1)); });
    // By keyboard alone: a pointer has split the side already when its click arrives, and this handle is gone.
    handle.addEventListener("click", (event) => {
      if (!event.detail) split();
    });
    return handle;
  });
  return [...corners, ...between];
}

function button(kind, [x, y], label, key) {
  const handle = document.createElement("button");
  handle.type = "button";
  handle.className = kind;
  handle.dataset.key = key;
  handle.setAttribute("aria-label", label);
  handle.style.left = `${x * 100}%`;
  handle.style.top = `${y * 100}%`;
  return handle;
}

function pick(at, corner) {
  if (at === chosen && corner === picked) return;
  [chosen, picked] = [at, corner];
  draw(corner < 0 ? "" : `${at}-${corner}`);
}

function keyed(event, at, corner) {
  const step = event.shiftKey ? STEP_FAR : STEP;
  const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
  if (dx || dy) {
    const [x, y] = zones[at][corner];
    zones[at][corner] = [within(x + dx), within(y + dy)];
    event.preventDefault();
    changed();
    says.textContent = layer.querySelector(`[data-key="${at}-${corner}"]`).getAttribute("aria-label");
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    if (zones[at].length > CORNERS_MIN) takeCorner(at, corner);
    else takeAway(at);
    changed();
    layer.querySelector(`[data-key="${at}-0"]`)?.focus();
  }
}

/** Follows the pointer until it is lifted; `move` gets its place and its way since the last time, as shares of the picture. */
function drag(event, move) {
  event.preventDefault();
  const box = layer.getBoundingClientRect();
  let [lastX, lastY] = [event.clientX, event.clientY];
  const follow = (now) => {
    move([(now.clientX - box.left) / box.width, (now.clientY - box.top) / box.height], [(now.clientX - lastX) / box.width, (now.clientY - lastY) / box.height]);
    [lastX, lastY] = [now.clientX, now.clientY];
    changed();
  };
  const stop = () => {
    removeEventListener("pointermove", follow);
    removeEventListener("pointerup", stop);
    removeEventListener("pointercancel", stop);
  };
  // On the window: the handle is drawn anew with every move.
  addEventListener("pointermove", follow);
  addEventListener("pointerup", stop);
  addEventListener("pointercancel", stop);
}

const moveCorner = (at, corner) => ([x, y]) => { zones[at][corner] = [within(x), within(y)]; };

const moveZone = (at) => (_place, [dx, dy]) => {
  const xs = zones[at].map(([x]) => x);
  const ys = zones[at].map(([, y]) => y);
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  zones[at] = zones[at].map(([cornerX, cornerY]) => [within(cornerX + x), within(cornerY + y)]);
};

function takeCorner(at, corner) {
  zones[at].splice(corner, 1);
  picked = -1;
}

function takeAway(at) {
  zones.splice(at, 1);
  [chosen, picked] = [zones.length - 1, -1];
  says.textContent = layer.dataset.removed;
}

add.addEventListener("click", () => {
  if (zones.length >= Number(zonesMax)) {
    says.textContent = layer.dataset.full;
    return;
  }
  const beside = (zones.length % 6) * NEXT_BESIDE;
  zones.push(FIRST.map(([x, y]) => [within(x + beside), within(y + beside)]));
  [chosen, picked] = [zones.length - 1, -1];
  changed();
  layer.querySelector(`[data-key="${chosen}-0"]`).focus();
  says.textContent = words("added", { zone: chosen + 1 });
});

remove.addEventListener("click", () => {
  takeAway(chosen);
  changed();
  add.focus();
});

removeCorner.addEventListener("click", () => {
  takeCorner(chosen, picked);
  changed();
  layer.querySelector(`[data-key="${chosen}-0"]`).focus();
});

// What was drawn is lost with the page: the browser asks first, unless it is on its way to be saved.
field.form.addEventListener("submit", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });
addEventListener("beforeunload", (event) => {
  if (!leaving && field.value !== saved) event.preventDefault();
});

for (const part of ["zone-acts", "zone-help"]) document.getElementById(part).hidden = false;
draw();
startCameras(document);
