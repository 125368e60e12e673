"""What a person wants to know of a cluster: its workers, and the programs that run."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Look
from . import configuration
from .config import Config
from .nodes import describe


def look(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """One look on the manager."""
    nodes = describe(cluster, config, facts)
    step = Look(
        name="the cluster",
        argv=("python3", "-IS", "-", nodes.page, *(f"{node.host}={node.address}" for node in nodes.working)),
        input=configuration.text("look.py"),
        hint=f"ssh {cluster.manager} sudo journalctl -u spark-master; bramble verify spark",
    )
    return Plan(service="spark", groups=(group("Look", [cluster.manager], step),))
