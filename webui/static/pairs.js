// Keys for the steward's queue: j and k move, Enter opens, m merges, d says "different".
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("[data-pair]")];
  let here = -1;

  function move(step) {
    const all = rows();
    if (all.length === 0) return false;
    here = Math.min(Math.max(here + step, 0), all.length - 1);
    all.forEach((row, place) => row.classList.toggle("is-here", place === here));
    all[here].querySelector("[data-open]").focus();
    return true;
  }

  // In the queue a key is about the chosen row, on a pair's own page about the page.
  function part(name) {
    const all = rows();
    const root = all.length ? all[here] : document;
    return root ? root.querySelector(`[data-${name}]`) : null;
  }

  const keys = {
    j: () => move(1) || part("next")?.click(),
    k: () => move(-1) || history.back(),
    m: () => part("merge")?.click(),
    d: () => part("different")?.requestSubmit(),
  };

  document.addEventListener("focusin", (event) => {
    const place = rows().indexOf(event.target.closest("[data-pair]"));
    if (place >= 0) here = place;
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
