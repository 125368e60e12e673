// What all drawings of the page share: its colours, its width, and that they are drawn anew when either changes.
"use strict";
(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => () => style.getPropertyValue(name).trim();
  const LINES = [["--busy"], ["--accent", [6, 4]], ["--good", [2, 3]], ["--bad", [10, 4]], ["--quiet", [4, 2, 1, 2]]];
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };

  // A drawing with a line, or bars, for each of `series`, told apart by more than their colour.
  window.draw = (place, data, { series, x = {}, y = {}, scales = {}, legend = true }) => {
    const size = () => ({ width: Math.min(place.clientWidth || 320, 900), height: 220 });
    const plot = new uPlot({
      ...size(),
      scales,
      legend: { show: legend },
      axes: [{ ...axis, ...x }, { ...axis, size: 64, ...y }],
      series: [x.series || {}, ...series.map((one, number) => {
        const [name, dash] = LINES[number % LINES.length];
        return { stroke: colour(name), width: 2, dash, ...one };
      })],
    }, data, place);
    window.addEventListener("resize", () => plot.setSize(size()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
    return plot;
  };
  window.draw.colour = colour;
})();
