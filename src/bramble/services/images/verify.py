"""Whether each host has every image, whole and ready to be run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from ...model import Cluster
from ...plan import Group, Plan
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import ImageArchive, Probe
from .config import Config
from .plan import plan


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """One probe for each image, host and engine."""
    text = (files(__package__) / "files" / "proof.py").read_text(encoding="utf-8")

    def proof(step: Step) -> Probe:
        assert isinstance(step, ImageArchive)
        return Probe(
            name=f"{step.title} can be run",
            argv=("python3", "-IS", "-c", text, step.engine, step.name, step.digest),
            expect_lines=("whole", "files"),
            hint="bramble deploy images brings it again",
            timeout=300,
        )

    return Plan(
        service="images",
        groups=tuple(
            Group(title=part.title, steps={host: tuple(map(proof, steps)) for host, steps in part.steps.items()})
            for part in plan(cluster, config, facts).groups
        ),
    )
