"""From one version to a later one, in HDFS's own order: names of files first, then one host after the other.

https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/HdfsRollingUpgrade.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command
from . import catalogue, refusals
from .config import Config
from .nodes import Node, Nodes, describe
from .plan import in_use, programs, running
from .text import text

#: Seconds until a host's daemons must do their work in the new version, and again in the old one where they do not.
PATIENCE = 240.0


def upgrade(cluster: Cluster, config: Config, facts: Mapping[str, Facts], before: str) -> Plan:
    """All programs are on all hosts before the first is used; a host is back and well before the next one goes.

    On the way back, what was written since is kept, too: all versions lay out files in one way (`config.VERSIONS`).

    Raises
    ------
    PlanError
        These hosts cannot have Hadoop.
    """
    nodes = describe(cluster, config, facts)
    refusals.check(nodes, jobs=config.yarn)
    everyone, manager = nodes.hosts, [cluster.manager]
    groups = [
        group("Programs", everyone, *programs(config.version)),
        group("Begin", manager, _rolling(nodes, "begin"), after=["Programs"], requires=everyone),
    ]
    last = "Begin"
    for node in (nodes.manager, *(one for one in nodes.all if one is not nodes.manager)):
        title = f"Upgrade {node.host}"
        steps = tuple(_take(nodes, node, config.version, before))
        groups.append(group(title, [node.host], *steps, after=[last], requires=everyone, timeout=3 * PATIENCE))
        last = title
    groups.append(group("End", manager, _rolling(nodes, "end"), after=[last], requires=everyone))
    return Plan(
        service="hadoop", groups=tuple(groups), artifacts=catalogue.artifacts(config, ()), notes=tuple(_notes(nodes))
    )


def _take(nodes: Nodes, node: Node, version: str, before: str) -> Iterator[Step]:
    yield in_use(version)
    for daemon in node.daemons:
        yield running(daemon)
    asked = {
        "version": version,
        "before": before,
        "home": catalogue.HOME,
        "manager": nodes.manager.name,
        "name": node.name,
        "daemons": node.daemons,
        "working": [one.name for one in nodes.working],
        "patience": PATIENCE,
    }
    yield Command(
        name=f"{node.host} works in version {version}",
        argv=("python3", "-IS", "-c", text("take.py"), "take"),
        unless=("python3", "-IS", "-c", text("take.py"), "taken"),
        input=json.dumps(asked),
        timeout=2.5 * PATIENCE,
    )


def _rolling(nodes: Nodes, verb: str) -> Command:
    name = "have HDFS keep what it takes to go back" if verb == "begin" else "HDFS stays with the new version"
    return Command(
        name=name,
        argv=("python3", "-IS", "-c", text("rolling.py"), verb, nodes.manager.name),
        unless=("python3", "-IS", "-c", text("rolling.py"), f"{verb}-done", nodes.manager.name),
        timeout=PATIENCE,
    )


def _notes(nodes: Nodes) -> Iterator[str]:
    if "resourcemanager" in nodes.manager.daemons:
        yield "jobs that run or wait now are lost"
    yield "while the manager takes the new version, files can be neither read nor written for some seconds"
    if nodes.copies < 2:
        yield "files lie on one host each: while that one takes the new version, they cannot be read for some seconds"
