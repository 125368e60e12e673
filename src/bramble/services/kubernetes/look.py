"""What a person wants to know of a cluster: its nodes, what is not well and why, what is used, what runs out when."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Look
from . import configuration, planes
from .config import Config
from .scripts import script


def look(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """One look on the manager."""
    asked = {
        "nodes": {configuration.node_name(host): facts[host].address for host in cluster.hostset},
        "server": f"https://{planes.bracketed(facts[cluster.manager].address)}:6443",
        "context": cluster.name if config.kubeconfig else "",
        "metrics": config.metrics,
        "dashboard": config.dashboard,
    }
    step = Look(
        name="the cluster",
        argv=script("look.py"),
        input=json.dumps(asked),
        timeout=60,
        hint=f"ssh {cluster.manager} sudo journalctl -u kubelet; bramble verify kubernetes",
    )
    return Plan(service="kubernetes", groups=(group("Look", [cluster.manager], step, timeout=70),))
