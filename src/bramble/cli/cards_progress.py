"""How far cards are: a bar a card that is redrawn or, where nobody looks, a line where something begins or ends."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ..runner import events
from ..runner.events import Event
from .terminal import console, lively

#: Phases of a card in a person's words.
_WORDS = {"writing": "writing", "verifying": "reading back", "finishing": "making it its host's", "done": "done"}


class CardsProgress:
    """Shows on standard error how far the download and each card is; to be entered."""

    def __init__(self) -> None:
        self._lively = lively(sys.stderr)
        self._bars = Progress(
            TextColumn("{task.fields[host]}", style="bold"),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console(sys.stderr),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}

    def __enter__(self) -> CardsProgress:
        if self._lively:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lively:
            self._bars.stop()

    def pause(self) -> None:
        """Leave the terminal to a question."""
        if self._lively:
            self._bars.stop()
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()

    def resume(self) -> None:
        """Draw again."""
        if self._lively:
            self._bars.start()

    def take(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, events.CardProgress):
            # The last two are short, and about all of it.
            done = event.done if event.phase in ("writing", "verifying") else event.total
            self._show(event.host, event.device, _WORDS.get(event.phase, event.phase), done, event.total, event.rate)
        elif isinstance(event, events.ImageProgress):
            self._show(event.image, "", "download" if event.total else event.text, event.done, event.total, 0.0)
        elif isinstance(event, events.Note):
            self._bars.console.print(event.text, soft_wrap=True)

    def _show(self, name: str, device: str, words: str, done: int, total: int, rate: float) -> None:
        description = f"{device} {words}".strip()
        if not self._lively:
            if self._said.get(name) != description:
                self._said[name] = description
                sys.stderr.write(f"{name}: {description}\n")
            return
        speed = f"{rate / 1e6:.0f} MB/s" if rate else ""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(description, host=name, rate=speed)
        bar = self._tasks[name]
        self._bars.update(bar, description=description, completed=done, total=total or None, rate=speed)
