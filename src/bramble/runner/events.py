"""What happens, as values: from a host to the controller as JSON lines, and on to people, files and services.

Every event has ``kind`` (the class name in lower case with hyphens), ``time`` (seconds since the epoch, by the
controller's clock) and, where it happened on one host, ``host``. `to_json` gives the documented form.
"""

from __future__ import annotations

import re
import time
from typing import Any, ClassVar, Optional

from .dataclass import dataclass, field, fields


@dataclass(frozen=True)
class Event:
    """Root of all events."""

    kind: ClassVar[str] = "event"
    kinds: ClassVar["dict[str, type[Event]]"] = {}

    host: str = ""
    time: float = field(default_factory=time.time)

    def __init_subclass__(cls) -> None:
        cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()
        Event.kinds[cls.kind] = cls


@dataclass(frozen=True)
class GroupStarted(Event):
    """A host begins a titled group of steps."""

    group: str = ""
    steps: int = 0


@dataclass(frozen=True)
class GroupDone(Event):
    """A host is through a group. ``changed`` counts its steps that changed (or, dry, would change) something."""

    group: str = ""
    changed: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class StepStarted(Event):
    """A host looks at a step; ``number`` counts from 1 within the group."""

    group: str = ""
    step: str = ""
    number: int = 0


@dataclass(frozen=True)
class StepProgress(Event):
    """A step that takes long says where it is."""

    group: str = ""
    step: str = ""
    text: str = ""


@dataclass(frozen=True)
class StepDone(Event):
    """A step is through.

    ``outcome`` is one of ``unchanged``, ``changed``, ``would-change`` and ``unknown`` (dry run), ``passed`` (a probe),
    ``undone``, ``kept`` (left on purpose; ``summary`` says why). ``seen`` is what a step that only looks found out.
    """

    group: str = ""
    step: str = ""
    outcome: str = ""
    summary: str = ""
    diff: str = ""
    seconds: float = 0.0
    seen: "dict[str, Any]" = field(default_factory=dict)


@dataclass(frozen=True)
class StepFailed(Event):
    """A step failed: what, why, what to do, and the last lines that tell it."""

    group: str = ""
    step: str = ""
    what: str = ""
    why: str = ""
    hint: str = ""
    log: "tuple[str, ...]" = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class StepCancelled(Event):
    """The run was interrupted; this step was abandoned cleanly, or not begun."""

    group: str = ""
    step: str = ""


@dataclass(frozen=True)
class FactsGathered(Event):
    """What a host is (see `facts.Facts`)."""

    facts: "dict[str, Any]" = field(default_factory=dict)


@dataclass(frozen=True)
class ArtifactProgress(Event):
    """The controller fetches or builds an artifact that it has not at hand."""

    artifact: str = ""
    text: str = ""


@dataclass(frozen=True)
class ImageProgress(Event):
    """The controller fetches an image for cards: how far it is in words, and in bytes where they are known."""

    image: str = ""
    text: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class CardProgress(Event):
    """How far a host's card is, a few times a second.

    ``device`` is the card or the file. ``phase`` is one of ``writing``, ``verifying`` (reading back), ``finishing``
    (the host's own files, and what makes it bootable) and ``done``. ``done`` of ``total`` bytes (0: nobody knows yet)
    are through this phase, at ``rate`` bytes a second; all will be in about ``left`` seconds (0: nobody knows yet).
    """

    device: str = ""
    phase: str = ""
    done: int = 0
    total: int = 0
    rate: float = 0.0
    left: float = 0.0


@dataclass(frozen=True)
class HostConnecting(Event):
    """The controller opens the connection of a host."""


@dataclass(frozen=True)
class HostConnected(Event):
    """The connection stands. ``seconds`` is how long it took."""

    seconds: float = 0.0


@dataclass(frozen=True)
class HostWaiting(Event):
    """A host waits until others are through these groups, because data crosses hosts there."""

    group: str = ""
    groups: "tuple[str, ...]" = ()


@dataclass(frozen=True)
class HostRebooting(Event):
    """A host restarts; the run goes on when it is back."""


@dataclass(frozen=True)
class HostMoving(Event):
    """A host tries another ``address``; the run goes on when it is found there, or is back at its old one."""

    address: str = ""


@dataclass(frozen=True)
class HostFailed(Event):
    """A host is out of this run. ``error`` is the class name in the error tree."""

    error: str = ""
    what: str = ""
    why: str = ""
    hint: str = ""
    log: "tuple[str, ...]" = ()


@dataclass(frozen=True)
class HostSkipped(Event):
    """A group is not carried out on a host, because of another host's failure."""

    group: str = ""
    why: str = ""


@dataclass(frozen=True)
class Note(Event):
    """Something a person wants to know: which rule chose the manager, what was saved where."""

    text: str = ""


@dataclass(frozen=True)
class RunStarted(Event):
    """A run begins: its id, the verb and what it is about."""

    run: str = ""
    verb: str = ""
    service: str = ""
    cluster: str = ""
    hosts: "tuple[str, ...]" = ()


@dataclass(frozen=True)
class RunFinished(Event):
    """A run is over; ``report`` is the `Report` as JSON."""

    run: str = ""
    report: "dict[str, Any]" = field(default_factory=dict)


def to_json(event: Event) -> "dict[str, Any]":
    """The documented JSON form. Fields that are empty are left out."""
    data = {name: getattr(event, name) for name in fields(event)}
    return {"kind": event.kind, **{k: v for k, v in data.items() if v not in ("", (), {}, None)}}


def from_json(data: "dict[str, Any]", host: Optional[str] = None) -> Event:
    """The event that `to_json` wrote. ``host`` is put in where given: a runner does not know its name with us.

    Raises
    ------
    ValueError
        The kind is unknown.
    """
    kind = Event.kinds.get(str(data.get("kind")))
    if kind is None:
        raise ValueError(f"unknown event {data.get('kind')!r}")
    names = fields(kind)
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in names}
    if host is not None:
        values["host"] = host
    return kind(**values)
