// A host's load while one looks: asked every few seconds, drawn, and said in words.
"use strict";
(() => {
  const place = document.getElementById("load");
  const words = document.getElementById("load-words");
  if (!place || !window.uPlot) return;
  const EVERY = 4000, MOST = 450;
  const data = [[], [], []];
  const value = (_, now) => now == null ? "—" : `${now} %`;
  const plot = draw(place, data, {
    scales: { y: { range: [0, 100] } },
    y: { values: (_, ticks) => ticks.map((tick) => `${tick} %`) },
    series: [{ label: "Processors", value }, { label: "Memory", value }],
  });

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
