// What all drawings of the page share: its colours, its width, and that they are drawn anew when either changes.
"use strict";
(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => () => style.getPropertyValue(name).trim();
  const LINES = [["--busy"], ["--accent", [6, 4]], ["--good", [2, 3]], ["--bad", [10, 4]], ["--quiet", [4, 2, 1, 2]]];
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };

  // Moments by the browser's clock, written as elsewhere on the page.
  const DAY = 86400;
  const written = (moment, how) => new Date(moment * 1000).toLocaleString("en-GB", how);
  const clock = { hour: "2-digit", minute: "2-digit" };
  const moments = {
    values: (_plot, ticks, _axis, _space, step) => ticks.map((tick) => written(tick, step >= DAY
      ? { day: "numeric", month: "short" } : step >= 60 ? clock : { ...clock, second: "2-digit" })),
    series: {
      label: "When",
      value: (_, moment) => moment == null ? "—" : written(moment, { day: "numeric", month: "short", year: "numeric", ...clock }),
    },
  };

  // A drawing with a line, or bars, for each of `series`, told apart by more than their colour.
  window.draw = (place, data, { series, x = moments, y = {}, scales = {}, legend = true }) => {
    const size = () => ({ width: Math.min(place.clientWidth || 320, 900), height: 220 });
    const plot = new uPlot({
      ...size(),
      scales,
      legend: { show: legend },
      axes: [{ ...axis, ...x }, { ...axis, size: 80, ...y }],
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
