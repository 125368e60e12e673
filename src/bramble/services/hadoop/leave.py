"""Before hosts leave, what they keep is copied to others."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...errors import PlanError
from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command
from .config import Config
from .configuration import DATA, LEAVING, unit_name
from .nodes import COPIES, describe
from .text import text

#: Seconds on top of the deadline for what comes before and after it.
GRACE = 180.0


def leave(cluster: Cluster, config: Config, facts: Mapping[str, Facts], leaving: tuple[str, ...]) -> Plan:
    """Decommission the hosts that leave: no new files or tasks come there, and all copies they keep are made elsewhere.

    Raises
    ------
    PlanError
        No host that keeps files would stay.
    """
    nodes = describe(cluster, config, facts)
    going = {node.name: node.host for node in nodes.working if node.host in leaving}
    # One that does not answer cannot say what it calls itself; mostly that is what others call it.
    going |= {host: host for host in leaving if host not in facts}
    staying = [node for node in nodes.working if node.host not in leaving]
    if not staying:
        raise PlanError(
            "no host that keeps files would be left", hint="bramble remove hadoop, or add others first: bramble scale"
        )
    if not going:
        return Plan(service="hadoop")
    asked = json.dumps(
        {
            "manager": nodes.manager.name,
            "going": going,
            "staying": len(staying),
            # Nobody knows how many copies a person's program asks for; with more hosts than this it hardly matters.
            "copies": max(nodes.copies, COPIES),
            "jobs": config.yarn,
            "file": LEAVING,
            "deadline": config.leave_deadline,
        }
    )
    step = Command(
        name=f"have what {', '.join(going.values())} keeps copied to others",
        argv=("python3", "-IS", "-c", text("decommission.py"), "leave"),
        unless=("python3", "-IS", "-c", text("decommission.py"), "gone"),
        input=asked,
        timeout=config.leave_deadline + GRACE,
    )
    limit = config.leave_deadline + 2 * GRACE
    manager, answering = [cluster.manager], [host for host in going.values() if host in facts]
    return Plan(
        service="hadoop",
        groups=(
            group("Decommission", manager, step, timeout=limit),
            group("Copies", answering, _empty(), after=["Decommission"], requires=manager),
        ),
    )


def _empty() -> Command:
    """All of it lies elsewhere now; what stayed would be data that nobody misses, and in the way of a return."""
    return Command(
        name="take away what was copied to others",
        argv=("sh", "-c", 'systemctl stop "$1" && rm -rf "$0"/*', f"{DATA}/data", unit_name("datanode")),
        unless=("sh", "-c", '[ -z "$(ls -A "$0")" ]', f"{DATA}/data"),
    )
