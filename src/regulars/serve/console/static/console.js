// Draws the charts: each figure holds its ECharts option in a JSON script element.
"use strict";

// Numbers on axes and in tooltips are written as on the page: thousands apart, a true minus.
const numbers = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 6 });
const written = (value) => (typeof value === "number" ? numbers.format(value).replace("-", "\u2212") : value);

function withNumbers(option) {
  for (const axis of [option.xAxis, option.yAxis]) {
    if (axis.type === "value") axis.axisLabel.formatter = written;
  }
  option.tooltip.valueFormatter = (value) => (value === undefined || value === null ? "\u2013" : written(value));
  return option;
}

function drawCharts(root) {
  for (const figure of root.querySelectorAll("[data-chart]")) {
    const option = withNumbers(JSON.parse(figure.querySelector("script").textContent));
    const place = figure.querySelector(".canvas");
    const chart = echarts.getInstanceByDom(place) || echarts.init(place);
    chart.setOption(option);
    new ResizeObserver(() => chart.resize()).observe(place);
  }
}

document.addEventListener("DOMContentLoaded", () => drawCharts(document));

// Choosing a turn or an order of rows goes there at once; without scripts a button does.
document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
});

// A live list can be paused; it also rests while its page is not looked at.
document.addEventListener("click", (event) => {
  const pause = event.target.closest("[data-pause]");
  if (pause) {
    const isPaused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? pause.dataset.on : pause.dataset.off;
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const field = document.getElementById(copy.dataset.copy);
    field.select();
    if (navigator.clipboard) {
      navigator.clipboard.writeText(field.value).then(() => { copy.textContent = copy.dataset.done; }, () => {});
    }
  }
});

document.addEventListener("htmx:before:request", (event) => {
  if (!event.target.matches("[data-live]")) return;
  const pause = document.querySelector(`[data-pause="${event.target.id}"]`);
  if (document.hidden || pause?.getAttribute("aria-pressed") === "true") event.preventDefault();
});

// What was asked for is brought into sight where it stands below a long list.
document.addEventListener("htmx:after:swap", () => {
  const shown = document.querySelector("[data-shown]");
  const asked = document.activeElement?.getAttribute("hx-target");
  if (shown && asked === `#${shown.id}`) shown.scrollIntoView({ block: "nearest" });
});

// What is typed while an answer is on its way is not lost when the answer replaces the form.
const typed = new Map();
document.addEventListener("input", (event) => {
  if (event.target.id && event.target.matches("input, textarea")) typed.set(event.target.id, event.target.value);
});
document.addEventListener("htmx:before:request", (event) => {
  if (event.target.closest("form") && event.target.hasAttribute("hx-target")) typed.clear();
});
document.addEventListener("htmx:after:swap", () => {
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field && field.value !== value) {
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
});
