"""What a person wants to know of Hadoop: its hosts, how full they are, what is missing, which jobs run."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Look
from .config import Config
from .nodes import describe
from .text import text


def look(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """One look on the manager."""
    nodes = describe(cluster, config, facts)
    asked = {
        "manager": nodes.manager.name,
        "address": nodes.manager.address,
        "hosts": {node.name: node.host for node in nodes.working},
        "jobs": config.yarn,
    }
    step = Look(
        name="Hadoop",
        argv=("python3", "-IS", "-c", text("look.py")),
        input=json.dumps(asked),
        hint=f"ssh {cluster.manager} sudo journalctl -u hadoop-namenode; bramble verify hadoop",
    )
    return Plan(service="hadoop", groups=(group("Look", [cluster.manager], step, timeout=40),))
