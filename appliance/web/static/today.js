// The page Today, kept up to date, and its notices, which go when they are dismissed.

import { ask } from "./asking.js";
import { keepUp } from "./upkeep.js";

const { refreshSoon, state } = keepUp("/today/parts");

document.getElementById("parts").addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-dismiss]");
  if (!form) return;
  event.preventDefault();
  try {
    const answer = await ask(form.action, { method: "POST", redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.ok) form.remove();
  } catch {
    state("lost");
  }
  refreshSoon();
});
