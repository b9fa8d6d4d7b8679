"use strict";
// Draws each figure from the option in its JSON element, and again at another width or on paper.
(function () {
  const charts = [];
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const place = figure.querySelector(".canvas");
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption(JSON.parse(figure.querySelector("script").textContent));
    charts.push(chart);
    new ResizeObserver(() => chart.resize()).observe(place);
  }
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    for (const chart of charts) chart.resize();
  });
})();
