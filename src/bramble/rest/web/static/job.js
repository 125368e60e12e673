// A job, live: its events become rows and notes. All that comes is text (textContent), never markup.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const body = live.querySelector("tbody");
  const said = document.getElementById("said");
  const rows = new Map();

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };

  const row = (host) => {
    if (!rows.has(host)) {
      let line = [...body.rows].find((one) => one.dataset.host === host);
      if (!line) {
        line = body.insertRow();
        line.dataset.host = host;
        const name = element("th", host);
        name.scope = "row";
        line.append(name, element("td", "…"), element("td"), element("td", "0"), element("td", "0"));
      }
      const [state, doing, steps, changed] = [...line.cells].slice(1);
      rows.set(host, { state, doing, steps, changed, out: false });
    }
    return rows.get(host);
  };

  const tell = (text) => { said.textContent = text; };
  const mark = (host, text, level) => row(host).state.replaceChildren(element("span", text, `badge ${level}`));
  const doing = (host, text) => { row(host).doing.textContent = text || ""; };
  const count = (cell) => { cell.textContent = Number(cell.textContent) + 1; };

  const problem = (event) => {
    const box = element("div", undefined, "problem");
    box.append(element("p", `${event.host ? event.host + ": " : ""}${event.what}`, "what"));
    if (event.why) box.append(element("p", event.why));
    if (event.hint) {
      const hint = element("p", "What to do: ", "hint");
      hint.append(element("code", event.hint));
      box.append(hint);
    }
    if (event.log && event.log.length) box.append(element("pre", event.log.join("\n")));
    document.getElementById("problems").append(box);
    tell(`${event.host || ""} failed: ${event.what}`);
  };

  const kinds = {
    "run-started": (event) => (event.hosts || []).forEach(row),
    "host-connecting": (event) => mark(event.host, "connecting", "busy"),
    "host-connected": (event) => mark(event.host, "at work", "busy"),
    "group-started": (event) => {
      mark(event.host, "at work", "busy");
      doing(event.host, event.group);
      tell(`${event.host}: ${event.group}`);
    },
    "step-started": (event) => doing(event.host, `${event.group}: ${event.step}`),
    "step-progress": (event) => doing(event.host, `${event.step}: ${event.text}`),
    "step-done": (event) => {
      const of = row(event.host);
      count(of.steps);
      if (["changed", "would-change", "undone"].includes(event.outcome)) count(of.changed);
    },
    "group-done": (event) => doing(event.host, ""),
    "step-failed": (event) => { row(event.host).out = true; mark(event.host, "failed", "bad"); problem(event); },
    "host-failed": (event) => {
      // A failed step has told it already.
      if (!row(event.host).out) problem(event);
      row(event.host).out = true;
      mark(event.host, "failed", "bad");
      doing(event.host, "");
    },
    "host-skipped": (event) => { mark(event.host, "skipped", "open"); doing(event.host, event.why); },
    "host-waiting": (event) => { mark(event.host, "waits", "open"); doing(event.host, `until others are through ${event.group || (event.groups || []).join(", ")}`); },
    "host-rebooting": (event) => mark(event.host, "restarts", "busy"),
    "host-moving": (event) => mark(event.host, `moves to ${event.address}`, "busy"),
    "step-cancelled": (event) => mark(event.host, "stopped", "open"),
    "note": (event) => { document.getElementById("notes").append(element("li", event.text)); tell(event.text); },
    "artifact-progress": (event) => tell(`${event.artifact}: ${event.text}`),
    "image-progress": (event) => doing(event.image || "image", event.text),
    "card-progress": (event) => {
      mark(event.host, event.phase, "busy");
      doing(event.host, event.total ? `${Math.floor(100 * event.done / event.total)} %` : "");
    },
  };

  const source = new EventSource(live.dataset.events);
  for (const [kind, show] of Object.entries(kinds)) {
    source.addEventListener(kind, (message) => show(JSON.parse(message.data)));
  }
  source.addEventListener("end", () => {
    source.close();
    tell("It is over.");
    location.reload();
  });
})();
