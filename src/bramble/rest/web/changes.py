"""What a run changed, or would change, told once for all hosts where it is the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model import HostSet

#: Outcomes of steps that a person wants to see; of the others, how many there were is enough.
_TOLD = ("would-change", "unknown", "changed", "undone", "kept")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One step that does the same on all of these hosts.

    Attributes
    ----------
    hosts
        Folded.
    lines
        Its diff: each line, and what it is (``more``, ``less``, ``place``, ``same``).
    """

    group: str
    step: str
    outcome: str
    summary: str
    hosts: str
    lines: tuple[tuple[str, str], ...] = ()


def of_events(events: Iterable[Mapping[str, Any]], hosts: Sequence[str] = ()) -> tuple[Change, ...]:
    """The changes among a job's events, in the order in which they came first.

    Parameters
    ----------
    hosts
        Of the job: each change names its own in this order, whoever was first.
    """
    turn = {host: number for number, host in enumerate(hosts)}
    found: dict[tuple[str, ...], list[str]] = {}
    for event in events:
        if event.get("kind") == "step-done" and event.get("outcome") in _TOLD:
            key = tuple(str(event.get(name, "")) for name in ("group", "step", "outcome", "summary", "diff"))
            found.setdefault(key, []).append(event.get("host", ""))
    return tuple(
        Change(
            group=group,
            step=step,
            outcome=outcome,
            summary=summary,
            hosts=str(HostSet(sorted(dict.fromkeys(some), key=lambda host: turn.get(host, len(turn))))),
            lines=tuple((_kind(line), line) for line in diff.splitlines()),
        )
        for (group, step, outcome, summary, diff), some in found.items()
    )


def _kind(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "place"
    return {"+": "more", "-": "less"}.get(line[:1], "same")
