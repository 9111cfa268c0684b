// Small manners of the screens; every page also works without them.
"use strict";
(() => {
  const language = document.documentElement.lang;
  const full = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });

  // Moments in the reader's own zone: the exact one as a tooltip, dates as text.
  function localise(root) {
    for (const time of root.querySelectorAll("time[data-local]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = full.format(at);
      if (time.dataset.local === "date") time.textContent = day.format(at);
    }
    for (const time of root.querySelectorAll("time[data-hour]")) {
      time.textContent = hour.format(new Date(time.dateTime));
    }
  }

  function draw(canvas) {
    if (!window.Chart || canvas.dataset.drawn) return;
    canvas.dataset.drawn = "yes";
    const hours = JSON.parse(canvas.dataset.chart);
    const bar = (label, key, colour) => ({
      label, data: hours.map((each) => each[key]), backgroundColor: colour, borderRadius: 3, stack: "all",
    });
    new window.Chart(canvas, {
      type: "bar",
      data: {
        labels: hours.map((each) => hour.format(new Date(each.start))),
        datasets: [
          bar(canvas.dataset.taken, "taken_in", "#1d4ed8"),
          bar(canvas.dataset.written, "written", "#7fb2ff"),
        ],
      },
      options: {
        animation: false, maintainAspectRatio: false,
        scales: {
          x: { grid: { display: false }, ticks: { color: "#526074", maxRotation: 0, autoSkipPadding: 16 } },
          y: { beginAtZero: true, ticks: { color: "#526074", precision: 0 }, grid: { color: "#eef1f6" } },
        },
        plugins: { legend: { position: "top", align: "end", labels: { color: "#42506a", boxWidth: 12 } } },
      },
    });
  }

  // A table that scrolls sideways can be scrolled from the keyboard, too.
  function reach(root) {
    for (const box of root.querySelectorAll(".table-responsive")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    }
  }

  function refresh(root) {
    localise(root);
    reach(root);
    root.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  let hiding;
  function tell(text) {
    const note = document.getElementById("toast");
    if (!note) return;
    note.textContent = text;
    note.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { note.hidden = true; }, 5000);
  }

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      return;
    }
    const button = event.submitter;
    if (button && button.dataset.busy) {
      setTimeout(() => { button.disabled = true; button.textContent = button.dataset.busy; });
    }
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form) form.requestSubmit();
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.querySelector(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    tell(document.body.dataset.copied);
  });
  document.addEventListener("htmx:afterSettle", (event) => refresh(event.target.parentElement || event.target));
  document.addEventListener("htmx:load", (event) => {
    refresh(event.target);
    const first = event.target.querySelector?.("[autofocus]");
    if (first) first.focus();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const type = event.detail.xhr.getResponseHeader("Content-Type") || "";
    tell(type.startsWith("text/plain") ? event.detail.xhr.responseText : document.body.dataset.failed);
  });
  document.addEventListener("toggle", (event) => reach(event.target), true);
  window.addEventListener("DOMContentLoaded", () => refresh(document));
})();
