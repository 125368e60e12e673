"""Progress on a terminal: a line a host that is redrawn, and at the end what changed and how it stands."""

from __future__ import annotations

import time
from typing import Literal, TextIO

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ..errors import BrambleError
from ..runner import events
from ..runner.events import Event
from . import lines, summary
from .story import CHANGES, HostLine, Story, fold
from .terminal import console, show

#: Lines of the terminal that stay free for what stands above and below the hosts.
_MARGIN = 4


class Progress:
    """Redraws a line a host while a run is on.

    Parameters
    ----------
    stream
        The terminal.
    verbose
        Each step that is through goes by above the hosts.
    diff
        Show the differences, once for all hosts that are alike.
    transient
        Leave nothing behind: the command shows the result itself.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False, diff: bool = False, transient: bool = False) -> None:
        self.verbose, self.diff, self.transient = verbose, diff, transient
        self.console = console(stream)
        self._utf8 = (self.console.encoding or "").lower().startswith("utf")
        self._spinner = Spinner("dots" if self._utf8 else "line")
        self._stories: dict[str, Story] = {}
        self._said = ""
        # Redrawn by `tick` from the event loop, not by a thread: a story never changes while it is drawn.
        self._live = Live(console=self.console, auto_refresh=False, transient=True, vertical_overflow="crop")

    def take(self, event: Event, cluster: str = "") -> None:
        """Note an event; what it changes is drawn at the next tick."""
        if isinstance(event, events.RunStarted):
            self._stories[cluster] = story = Story(event)
            if not self.transient:
                self.console.print(summary.heading(story, cluster))
            self._live.start()
            return
        story = self._stories[cluster]
        story.take(event)
        if isinstance(event, events.RunFinished):
            del self._stories[cluster]
            if not self._stories:
                self._live.stop()
            if not self.transient:
                shown = () if self.verbose else (*CHANGES, "passed")
                for part in summary.ending(
                    story, event.report, cluster, shown=shown, diff=self.diff, width=self.console.width
                ):
                    show(self.console, part)
        elif isinstance(event, events.ArtifactProgress):
            self._said = f"{event.artifact}: {event.text}"
        elif isinstance(event, events.GroupStarted) and self._said:
            self._said = ""
        elif isinstance(event, events.Note) and not self.transient:
            self.console.print(Text(f"  {event.text}", style="dim"))
        elif self.verbose and event.host and not self.transient:
            told = lines.line(event, verbose=True)
            if told:
                self.console.print(Text(f"  {cluster}{'/' if cluster else ''}{event.host}  {told}", style="dim"))

    def fail(self, error: BrambleError, cluster: str = "") -> None:
        """Nothing: it is told on standard error."""

    def say(self, text: str) -> None:
        """Show words of the controller below the hosts."""
        self._said = text
        self.tick()

    def tick(self) -> None:
        """Draw the hosts as they are now."""
        if self._live.is_started:
            self._live.update(self.table(), refresh=True)

    def close(self) -> None:
        """Take the hosts away."""
        self._live.stop()

    def table(self) -> Table:
        """The hosts at this moment."""
        # Not the whole width: a terminal that echoes ^C at the end of a full line begins a new one, and what is drawn
        # next would be a line too low.
        table = Table.grid(padding=(0, 1))
        table.width = self.console.width - 4
        table.add_column(width=2, justify="right")
        cut: Literal["ellipsis", "crop"] = "ellipsis" if self._utf8 else "crop"
        table.add_column(no_wrap=True, overflow=cut, max_width=max(12, self.console.width // 4))
        table.add_column(ratio=1, no_wrap=True, overflow=cut)
        table.add_column(no_wrap=True, justify="right", min_width=10)
        table.add_column(no_wrap=True, justify="right", min_width=8)
        shown, hidden = self._choose()
        for name, line in shown:
            ended = line.ended if line.activity == "out" else time.time()
            table.add_row(
                self._mark(line),
                Text(name),
                _doing(line),
                Text(f"{line.changed} changed" if line.changed else "", style="dim"),
                Text(summary.seconds(max(0.0, ended - line.began)), style="dim"),
            )
        if hidden:
            table.add_row("", "", Text(f"and {fold(hidden)}", style="dim"), "", "")
        if self._said:
            table.add_row("", "", Text(self._said, style="yellow", overflow="fold"), "", "")
        return table

    def _choose(self) -> tuple[list[tuple[str, HostLine]], list[str]]:
        """The hosts that fit on the terminal, those at work first, in their order; and the names of the rest."""
        everyone = [
            (f"{cluster}/{line.host}" if cluster else line.host, line)
            for cluster, story in self._stories.items()
            for line in story.lines.values()
        ]
        room = max(3, self.console.height - _MARGIN)
        if len(everyone) <= room:
            return everyone, []
        rank = {"working": 0, "waiting": 1, "connecting": 2, "out": 3, "idle": 4}
        first = sorted(range(len(everyone)), key=lambda n: (rank[everyone[n][1].activity], n))
        chosen = set(first[: room - 1])
        hidden = [line.host for n, (_, line) in enumerate(everyone) if n not in chosen]
        return [item for n, item in enumerate(everyone) if n in chosen], hidden

    def _mark(self, line: HostLine) -> Text | Spinner:
        if line.activity in ("working", "connecting"):
            return self._spinner
        if line.activity == "out":
            return Text("✗" if self._utf8 else "x", style="red")
        if line.activity == "waiting":
            return Text("·" if self._utf8 else ".", style="yellow")
        return Text("✓" if self._utf8 else "+", style="green")


def _doing(line: HostLine) -> Text:
    if line.activity == "connecting":
        return Text("connecting", style="dim")
    if line.activity == "out":
        return Text(line.step, style="red" if line.step.startswith("failed") else "yellow")
    text = Text(line.group)
    if line.activity == "working" and line.steps:
        text.append(f" {line.number}/{line.steps}", style="dim")
    if line.step:
        text.append(f"  {line.step}", style="dim")
    return text
