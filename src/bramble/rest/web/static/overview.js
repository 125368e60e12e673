// The overview is brought up to date by htmx; not under the hands of who is at it with a keyboard, nor where nobody looks.
"use strict";
document.addEventListener("htmx:beforeRequest", (event) => {
  const used = event.target !== document.activeElement && event.target.contains(document.activeElement);
  if (used || document.hidden) event.preventDefault();
});
