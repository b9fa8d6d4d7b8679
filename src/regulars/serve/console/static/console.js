// Draws the charts: each figure holds its ECharts option in a JSON script element.
"use strict";

function drawCharts(root) {
  for (const figure of root.querySelectorAll("[data-chart]")) {
    const option = JSON.parse(figure.querySelector("script").textContent);
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
