"""Which steps of a plan speak of artifacts, and what they must know of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...plan import Plan
from ...runner.step import Step, fields_of
from ...runner.steps import Tree
from .store import Stored


def artifact_of(step: Step) -> str:
    """The id of the artifact that a step speaks of; empty for most."""
    return str(getattr(step, "artifact", ""))


def room_of(step: Step) -> int:
    """Bytes that a step needs on the host beside what was brought, as far as one can tell before.

    What an archive holds is not smaller than itself; how much larger, the step finds out before it unpacks anything.
    """
    return step.size if isinstance(step, Tree) else 0


def with_artifacts(plan: Plan, artifacts: Mapping[str, Stored]) -> Plan:
    """The same plan, its steps filled in with hash and size of their artifacts, as far as these are at hand."""
    if not artifacts:
        return plan

    def fill(step: Step) -> Step:
        stored = artifacts.get(artifact_of(step))
        return type(step)(**{**fields_of(step), "sha256": stored.sha256, "size": stored.size}) if stored else step

    groups = (
        replace(part, steps={host: tuple(map(fill, steps)) for host, steps in part.steps.items()})
        for part in plan.groups
    )
    return replace(plan, groups=tuple(groups))
