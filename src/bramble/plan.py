"""A plan: titled groups of steps per host, with barriers. Pure data, printable.

Hosts go through their groups on their own, in the order of the plan. A group waits for other hosts only where it says
so (``after``), because data crosses hosts there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .artifact import Artifact
from .runner.secret import Secret, secrets_in
from .runner.step import Step
from .runner.wire import encode

#: Seconds a group may take on a host unless it says otherwise: the packages of a service on a slow card and network.
TIMEOUT = 900.0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Steps that belong together, under a title that people read.

    Attributes
    ----------
    title
        Unique in its plan.
    steps
        Host name → its steps, in order.
    after
        Titles of earlier groups that all of their hosts must be through (done or failed) before any host begins this.
    requires
        Hosts without which this group makes no sense: if one of them failed, it is skipped, and the report says why.
    timeout
        Seconds a host may take for it.
    retries
        How often a host tries the group again when a step of it fails.
    """

    title: str
    steps: Mapping[str, tuple[Step, ...]]
    after: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    timeout: float = TIMEOUT
    retries: int = 0


def group(
    title: str,
    hosts: Iterable[str],
    *steps: Step | Callable[[str], Iterable[Step] | Step],
    after: Iterable[str] = (),
    requires: Iterable[str] = (),
    timeout: float = TIMEOUT,
    retries: int = 0,
) -> Group:
    """A group with the same steps on each of ``hosts``; a function in place of a step makes those of one host."""

    def of(host: str) -> Iterator[Step]:
        for item in steps:
            made = item if isinstance(item, Step) else item(host)
            yield from (made,) if isinstance(made, Step) else made

    return Group(
        title=title,
        steps={host: tuple(of(host)) for host in hosts},
        after=tuple(after),
        requires=tuple(requires),
        timeout=timeout,
        retries=retries,
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done for a service.

    Attributes
    ----------
    service
        Its name.
    groups
        In the order in which each host goes through its own.
    notes
        What a person should know about it.
    artifacts
        What its steps `Artifact`, `Image` and `Tree` speak of, by `Artifact.id`.

    Raises
    ------
    ValueError
        Two groups of one title, or a barrier that names no earlier group: a mistake of the service's author.
    """

    service: str
    groups: tuple[Group, ...] = ()
    notes: tuple[str, ...] = field(default=())
    artifacts: tuple[Artifact, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for part in self.groups:
            if part.title in seen:
                raise ValueError(f"two groups are called {part.title!r}")
            missing = set(part.after) - seen
            if missing:
                raise ValueError(f"{part.title!r} waits for {missing}, which no earlier group is called")
            seen.add(part.title)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that has something to do, in order of appearance."""
        return tuple(dict.fromkeys(host for part in self.groups for host in part.steps))

    def of(self, host: str) -> tuple[Group, ...]:
        """The groups of one host."""
        return tuple(part for part in self.groups if host in part.steps)

    def resources(self, host: str) -> set[str]:
        """All that this plan speaks for on a host."""
        return {r for part in self.of(host) for step in part.steps[host] for r in step.resources()}

    def secrets(self) -> dict[str, Secret]:
        """All secrets, by name."""
        return {
            secret.name: secret
            for part in self.groups
            for steps in part.steps.values()
            for step in steps
            for secret in secrets_in(step)
        }

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values, secrets by name only; hosts with equal steps share one entry."""
        return {
            "service": self.service,
            "notes": list(self.notes),
            **({"artifacts": [one.title for one in self.artifacts]} if self.artifacts else {}),
            "groups": [_group_json(part) for part in self.groups],
        }


def _group_json(part: Group) -> dict[str, Any]:
    folded: list[tuple[list[str], list[dict[str, Any]]]] = []
    for host, steps in part.steps.items():
        wire = [encode(step) for step in steps]
        same = next((hosts for hosts, other in folded if other == wire), None)
        if same is None:
            folded.append(([host], wire))
        else:
            same.append(host)
    data: dict[str, Any] = {"title": part.title, "timeout": part.timeout}
    if part.after:
        data["after"] = list(part.after)
    if part.requires:
        data["requires"] = list(part.requires)
    data["hosts"] = [{"hosts": hosts, "steps": steps} for hosts, steps in folded]
    return data
