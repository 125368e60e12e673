"""Many steps, a fifth of a second each: a deployment that many can watch."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from bramble.model import Cluster
from bramble.plan import Plan, group
from bramble.runner.facts import Facts
from bramble.runner.steps import Command
from bramble.services import Service

STEPS = 80


class Config(BaseModel, frozen=True):
    """No options."""


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """The steps."""
    steps = [
        Command(name=f"step {number} of {STEPS}", argv=("sh", "-c", f"sleep 0.2; touch {path}"), creates=path)
        for number in range(1, STEPS + 1)
        for path in [f"/run/many-{number}"]
    ]
    return Plan(service="many", groups=(group("Many steps", cluster.hostset, *steps),))


SERVICE = Service(name="many", summary="Many steps", config=Config, plan=plan, verify=plan)
