// A host's load while one looks: asked every few seconds, drawn, and said in words.
"use strict";
(() => {
  const place = document.getElementById("load");
  const words = document.getElementById("load-words");
  if (!place || !window.uPlot) return;
  const EVERY = 4000, MOST = 450;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const data = [[], [], []];
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };
  const size = () => ({ width: Math.min(place.clientWidth || 320, 900), height: 220 });
  const plot = new uPlot({
    ...size(),
    scales: { y: { range: [0, 100] } },
    axes: [axis, { ...axis, values: (_, ticks) => ticks.map((tick) => `${tick} %`) }],
    series: [
      {},
      { label: "Processors", stroke: colour("--busy"), width: 2, value: (_, now) => now == null ? "—" : `${now} %` },
      { label: "Memory", stroke: colour("--accent"), width: 2, dash: [6, 4], value: (_, now) => now == null ? "—" : `${now} %` },
    ],
  }, data, place);
  window.addEventListener("resize", () => plot.setSize(size()));

  const percent = (part, whole) => part == null || !whole ? null : Math.round(100 * part / whole);
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(place.dataset.from, { headers: { Accept: "application/json" } });
      const now = await answer.json();
      if (!answer.ok || now.error) throw new Error(now.error || now.title || answer.statusText);
      const busy = percent(now.load && now.load[0], now.cpus), memory = percent(now.memory_used, now.memory);
      [now.time, busy == null ? null : Math.min(busy, 100), memory].forEach((value, series) => {
        data[series].push(value);
        if (data[series].length > MOST) data[series].shift();
      });
      plot.setData(data);
      words.textContent = `Processors ${busy ?? "—"} % busy over the last minute, memory ${memory ?? "—"} % in use, disk ${percent(now.disk_used, now.disk) ?? "—"} % full.`;
    } catch (error) {
      words.textContent = `It cannot be asked now: ${error.message}`;
    }
  };
  look();
  setInterval(look, EVERY);
})();
