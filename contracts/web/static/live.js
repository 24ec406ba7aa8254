// Keeps the page honest about its stream: counts updates, and says so when they stop coming.
"use strict";
(() => {
  const SILENT_MS = 4000;
  const region = document.getElementById("live");
  const badge = document.getElementById("live-state");
  if (!region || !badge) return;
  let last = performance.now();

  function show(state, text) {
    if (badge.dataset.live === state) return;
    badge.dataset.live = state;
    badge.querySelector("span").textContent = text;
    document.body.dataset.live = state;
  }

  region.addEventListener("tick", () => {
    last = performance.now();
    document.body.dataset.ticks = String(Number(document.body.dataset.ticks) + 1);
    show("Live", "Live");
  });
  setInterval(() => {
    if (!document.hidden && performance.now() - last > SILENT_MS) {
      show("Interrupted", "Interrupted, figures are frozen");
    }
  }, 1000);
})();
