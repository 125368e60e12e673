"""Before hosts leave, their pods move to others."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command
from . import configuration
from .config import Config
from .scripts import shell

#: Seconds on top of the deadline for what comes before and after it.
GRACE = 60.0


def leave(cluster: Cluster, config: Config, facts: Mapping[str, Facts], leaving: tuple[str, ...]) -> Plan:
    """Cordon, drain and forget the hosts that leave; budgets of the pods are respected.

    Of a host that does not answer, the pods are given up: they start anew elsewhere.
    """
    steps = (
        Command(
            name=f"move what runs on {host} away",
            argv=shell("drain.sh", "drain", configuration.node_name(host), _seconds(config)),
            unless=shell("gone.sh", "gone", configuration.node_name(host)),
            timeout=config.leave_deadline + GRACE,
        )
        for host in leaving
    )
    limit = (config.leave_deadline + GRACE) * len(leaving)
    return Plan(service="kubernetes", groups=(group("Drain", [cluster.manager], *steps, timeout=limit),))


def _seconds(config: Config) -> str:
    return str(int(config.leave_deadline))
