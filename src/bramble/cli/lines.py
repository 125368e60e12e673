"""Progress where nobody watches: one line for each event that matters, no colour, nothing redrawn."""

from __future__ import annotations

import sys

from ..errors import BrambleError
from ..runner import events
from ..runner.events import Event
from . import summary
from .story import Story, plain, short
from .terminal import console, show

#: What a dry run finds.
FORESEEN = ("would-change", "unknown")


class Lines:
    """Writes lines to standard output, and how it ended.

    Parameters
    ----------
    verbose
        Also what did not change, and what long steps say.
    diff
        Show the differences, once for all hosts that are alike.
    """

    def __init__(self, *, verbose: bool = False, diff: bool = False) -> None:
        self.verbose, self.diff = verbose, diff
        self._console = console(sys.stdout)
        self._stories: dict[str, Story] = {}

    def take(self, event: Event, cluster: str = "") -> None:
        """Write what an event tells."""
        if isinstance(event, events.RunStarted):
            self._stories[cluster] = Story(event)
            self._write(summary.heading(self._stories[cluster], cluster).plain)
            return
        story = self._stories[cluster]
        story.take(event)
        if isinstance(event, events.RunFinished):
            for item in summary.ending(story, event.report, cluster, shown=FORESEEN, diff=self.diff):
                show(self._console, item)
            return
        told = line(event, verbose=self.verbose)
        if told and event.host:
            label = f"{cluster}/" if cluster else ""
            width = max(len(host) for host in story.lines) + len(label)
            self._write(f"{label + event.host:{width}}  {told}")
        elif told:
            self._write(f"{cluster}: {told}" if cluster else told)

    def fail(self, error: BrambleError, cluster: str = "") -> None:
        """Nothing: it is told on standard error."""

    def say(self, text: str) -> None:
        """Write words of the controller."""
        self._write(text)

    def tick(self) -> None:
        """Nothing: every line is out already."""

    def close(self) -> None:
        """Nothing: every line is out already."""

    def _write(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def line(event: Event, *, verbose: bool) -> str:
    """What one line says of an event; empty where it says nothing."""
    match event:
        case events.Note():
            return f"note: {event.text}"
        case events.ArtifactProgress():
            return "" if event.text.startswith("downloading ") else f"{event.artifact}: {event.text}"
        case events.ImageProgress():
            return "" if event.done else f"{event.image}: {event.text}"
        case events.StepDone():
            if event.outcome == "unchanged" and not verbose:
                return ""
            if event.outcome in FORESEEN:
                return ""  # a dry run is quick: they are told at its end, folded
            took = (
                f" ({summary.seconds(event.seconds)})" if event.seconds >= 0.05 and event.outcome != "unchanged" else ""
            )
            what = f"{short(event.step)}: {plain(event.summary)}" if event.summary else short(event.step)
            return f"{event.outcome:12} {what}{took}"
        case events.StepFailed():
            step, what = short(event.step) or event.group, plain(event.what)
            return f"{'FAILED':12} {what}" if what.startswith(step) else f"{'FAILED':12} {step}: {what}"
        case events.HostFailed():
            return f"{'FAILED':12} {plain(event.what)}"
        case events.HostSkipped():
            return f"{'skipped':12} {event.group}: {event.why}"
        case events.StepCancelled():
            return f"{'stopped':12} {short(event.step)}"
        case events.HostRebooting() | events.HostMoving():
            return _away(event)
    return _detail(event) if verbose else ""


def _away(event: events.HostRebooting | events.HostMoving) -> str:
    if isinstance(event, events.HostMoving):
        return f"{'moves':12} the run goes on when it is found at {event.address}"
    return f"{'restarts':12} the run goes on when it is back"


def _detail(event: Event) -> str:
    match event:
        case events.HostConnected():
            return f"{'connected':12} ({summary.seconds(event.seconds)})"
        case events.GroupStarted():
            return f"{'begins':12} {event.group} ({summary.count(event.steps, 'step')})"
        case events.GroupDone():
            changes = summary.count(event.changed, "change")
            return f"{'through':12} {event.group}: {changes} ({summary.seconds(event.seconds)})"
        case events.StepProgress():
            return f"{'':12} {short(event.step)}: {plain(event.text)}"
        case events.HostWaiting():
            return f"{'waits':12} for {', '.join(event.groups)} on other hosts"
    return ""
