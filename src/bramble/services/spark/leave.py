"""Before hosts leave, programs end or hand on what they have there."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command
from . import configuration
from .config import Config
from .nodes import WORKER_WEB, describe

#: Seconds on top of the deadline for what comes before and after it.
GRACE = 60.0


def leave(cluster: Cluster, config: Config, facts: Mapping[str, Facts], leaving: tuple[str, ...]) -> Plan:
    """Decommission workers: they get nothing new, tasks end, and what they wrote goes to other hosts.

    A host that does not answer has nothing to hand on: Spark does its part again elsewhere.
    """
    nodes = describe(cluster, config, facts)
    going = {node.host: f"{node.address}:{WORKER_WEB}" for node in nodes.working if node.host in leaving}
    if not going:
        return Plan(service="spark")
    words = (nodes.page, str(int(config.leave_deadline)), *(f"{name}={place}" for name, place in going.items()))
    script = ("python3", "-IS", "-c", configuration.text("leave.py"))
    step = Command(
        name=f"let what runs on {', '.join(going)} end, or move on",
        argv=(*script, "leave", *words),
        unless=(*script, "gone", *words),
        timeout=config.leave_deadline + GRACE,
    )
    limit = config.leave_deadline + 2 * GRACE
    return Plan(service="spark", groups=(group("Decommission", [cluster.manager], step, timeout=limit),))
