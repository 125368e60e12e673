// Draws times out of tables of the page: nothing is fetched for it, and the tables stay for who does not see it.
"use strict";
(() => {
  if (!window.uPlot) return;
  const MOST = 5;

  const span = (seconds) => {
    if (seconds == null) return "—";
    if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
    const whole = Math.round(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
    const parts = hours ? [`${hours} h`, minutes % 60 && `${minutes % 60} min`]
      : minutes ? [`${minutes} min`, whole % 60 && `${whole % 60} s`] : [`${whole} s`];
    return parts.filter(Boolean).join(" ");
  };
  const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
  const y = { incrs: STEPS, values: (_, ticks) => ticks.map(span) };
  const scales = { y: { range: (_, least, most) => [0, (most || 1) * 1.1] } };
  const value = (_, seconds) => span(seconds);

  // How long the same work took, time after time: a line for each kind of work that was done more than once.
  const trend = (place, rows) => {
    const kinds = new Map();
    for (const { kind, started, seconds } of rows.map((row) => row.dataset)) {
      if (!kinds.has(kind)) kinds.set(kind, new Map());
      kinds.get(kind).set(Number(started), Number(seconds));
    }
    const shown = [...kinds].filter(([, runs]) => runs.size > 1).sort((a, b) => b[1].size - a[1].size).slice(0, MOST);
    if (!shown.length) return;
    place.hidden = false;
    const moments = [...new Set(shown.flatMap(([, runs]) => [...runs.keys()]))].sort((a, b) => a - b);
    const data = [moments, ...shown.map(([, runs]) => moments.map((moment) => runs.get(moment) ?? null))];
    const series = shown.map(([label]) => ({ label, value, spanGaps: true, points: { show: true, size: 7 } }));
    draw(place, data, { series, y, scales });
  };

  // How long each host took: who is slow stands out.
  const hosts = (place, rows) => {
    const names = rows.map((row) => row.dataset.host);
    if (names.length < 2) return;
    place.hidden = false;
    const data = [names.map((_, number) => number), rows.map((row) => Number(row.dataset.seconds))];
    const widest = 20 + 8 * Math.max(...names.map((name) => name.length));
    const splits = (plot) => {
      const step = Math.max(1, Math.ceil(names.length / Math.max(1, Math.floor(plot.width / widest))));
      return data[0].filter((number) => number % step === 0);
    };
    draw(place, data, {
      legend: false,
      scales: { ...scales, x: { time: false, range: [-0.6, names.length - 0.4] } },
      x: { splits, values: (_, some) => some.map((number) => names[number]), grid: { show: false } },
      y,
      series: [{ fill: draw.colour("--busy"), paths: uPlot.paths.bars({ size: [0.6, 60] }), points: { show: false } }],
    });
  };

  for (const place of document.querySelectorAll("[data-plot]")) {
    const rows = [...document.querySelectorAll(`#${place.dataset.of} tr[data-seconds]`)];
    ({ trend, hosts })[place.dataset.plot](place, rows);
  }
})();
