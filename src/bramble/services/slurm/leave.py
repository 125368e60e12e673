"""Before hosts leave, their jobs come to an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command
from . import configuration, nodes, refusals
from .config import Config

#: Seconds on top of the deadline for draining itself and for what comes after it.
GRACE = 60.0


def leave(cluster: Cluster, config: Config, facts: Mapping[str, Facts], leaving: tuple[str, ...]) -> Plan:
    """Drain the hosts that leave: they get no new jobs, and those that run there are waited for.

    Hosts that do not answer are drained, too: Slurm knows what it gave them.

    Raises
    ------
    PlanError
        Without these hosts there would be no cluster; so nothing is drained.
    """
    slurm = nodes.describe(cluster, config, facts)
    refusals.check(slurm, config)
    # Where the plan for those that stay would be refused, it is better known now.
    staying = cluster.without(leaving)
    left = nodes.describe(staying, config, {host: facts[host] for host in staying.hostset.names})
    refusals.check(left, config)
    refusals.check_queues(left)
    drained = [node for node in slurm.working if node.host in leaving]
    if not drained:
        return Plan(service="slurm")
    names = tuple(node.name for node in drained)
    deadline = str(int(config.leave_deadline))
    drain = Command(
        name=f"drain {', '.join(node.host for node in drained)}",
        argv=("sh", "-s", deadline, *names),
        input=configuration.text("drain.sh"),
        unless=("sh", "-c", configuration.text("drained.sh"), "drained", *names),
        timeout=config.leave_deadline + GRACE,
    )
    return Plan(
        service="slurm",
        groups=(replace(group("Drain", [cluster.manager], drain), timeout=config.leave_deadline + 2 * GRACE),),
    )
