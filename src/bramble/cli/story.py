"""What has happened in a run so far, gathered from its events: what every display shows, and no display keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..model import HostSet
from ..runner import events
from ..runner.events import Event

#: ``idle``: between two groups, or through; ``out``: failed, skipped or interrupted.
Activity = Literal["connecting", "idle", "working", "waiting", "out"]

#: Outcomes that count as a change, done or (in a dry run) foreseen.
CHANGES = ("changed", "would-change", "unknown", "undone")


def fold(names: Iterable[str]) -> str:
    """Host names as one short text: ``red,red[01-02]``."""
    return str(HostSet(names))


def short(title: str) -> str:
    """A step's title without repeated words: ``Package munge, Package slurmd`` → ``Package munge, slurmd``."""
    parts = title.split(", ")
    word = parts[0].split(" ")[0]
    same = len(parts) > 1 and all(re.fullmatch(rf"{re.escape(word)} \S+", part) for part in parts)
    return ", ".join([parts[0], *(part.removeprefix(f"{word} ") for part in parts[1:])]) if same else title


def plain(text: str) -> str:
    """Text from a host without characters that would steer the terminal."""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?", "", text)
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


@dataclass
class HostLine:
    """One host at this moment."""

    host: str
    activity: Activity = "connecting"
    group: str = ""
    step: str = ""
    number: int = 0
    steps: int = 0
    changed: int = 0
    began: float = 0.0
    ended: float = 0.0


@dataclass
class Happening:
    """One thing that happened alike on one or more hosts: a change, a passed probe, something kept."""

    group: str
    step: str
    outcome: str
    summary: str
    diff: str
    hosts: list[str] = field(default_factory=list)


class Story:
    """One run as its events tell it.

    Attributes
    ----------
    lines
        Every host, in the order of the cluster.
    happenings
        What changed, passed or was kept, in order, each with the hosts it happened on.
    """

    def __init__(self, started: events.RunStarted) -> None:
        self.started = started
        self.lines = {host: HostLine(host, began=started.time) for host in started.hosts}
        self.happenings: list[Happening] = []
        self._known: dict[tuple[str, ...], Happening] = {}
        self.now = started.time

    def take(self, event: Event) -> None:
        """Note an event."""
        self.now = max(self.now, event.time)
        if event.host:
            self._host(self.lines.setdefault(event.host, HostLine(event.host, began=event.time)), event)

    def of(self, *outcomes: str) -> list[Happening]:
        """The happenings with one of these outcomes; their hosts in the order of the cluster."""
        order = {host: number for number, host in enumerate(self.lines)}
        for happening in self.happenings:
            happening.hosts.sort(key=order.__getitem__)
        return [happening for happening in self.happenings if happening.outcome in outcomes]

    def _host(self, line: HostLine, event: Event) -> None:
        reason = _why_out(event)
        if reason:
            line.activity, line.step, line.ended = "out", reason, event.time
        match event:
            case events.HostConnecting():
                line.activity = "connecting"
            case events.HostConnected():
                line.activity, line.group = "idle", "connected"
            case events.GroupDone():
                line.activity, line.step = "idle", ""
            case events.GroupStarted():
                line.activity, line.group, line.step = "working", event.group, ""
                line.number, line.steps = 0, event.steps
            case events.StepStarted():
                line.activity, line.step, line.number = "working", short(event.step), event.number
            case events.StepProgress():
                line.step = plain(event.text)
            case events.StepDone():
                self._done(line, event)
            case events.HostWaiting():
                line.activity, line.group = "waiting", event.group
                line.step = f"until others are through {', '.join(event.groups)}"
            case events.HostRebooting():
                line.activity, line.step = "waiting", "for the host to come back from its restart"
            case events.HostMoving():
                line.activity, line.step = "waiting", f"for the host to answer at {event.address}"

    def _done(self, line: HostLine, event: events.StepDone) -> None:
        line.changed += event.outcome in CHANGES
        if event.outcome == "unchanged":
            return
        key = (event.group, event.step, event.outcome, event.summary, event.diff)
        if key not in self._known:
            happening = Happening(event.group, event.step, event.outcome, event.summary, event.diff)
            self._known[key] = happening
            self.happenings.append(happening)
        self._known[key].hosts.append(line.host)


def _why_out(event: Event) -> str:
    match event:
        case events.StepFailed() | events.HostFailed():
            return f"failed: {plain(event.what)}"
        case events.HostSkipped():
            return f"skipped: {event.why}"
        case events.StepCancelled():
            return "stopped"
    return ""
