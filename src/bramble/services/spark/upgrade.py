"""From one version to another: all hosts have it and have tried it before any of them works with it.

Upstream promises nothing for a cluster of two versions, and parts of a program must be of its own version: so programs
end first, then the master takes the new one, then all workers do at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command
from ...runner.steps.tree import NOTE
from . import configuration, refusals
from .catalogue import HOME, home, tree
from .config import Config
from .leave import GRACE
from .nodes import MASTER, Node, Nodes, describe
from .plan import TREE_TIMEOUT, programs

#: Seconds that daemons may take to work in another version, and as long for the way back.
TAKES = 120


def upgrade(cluster: Cluster, config: Config, facts: Mapping[str, Facts], before: str) -> Plan:
    """Where daemons do not come up in the new version, their host goes back; workers follow a master that is up.

    Raises
    ------
    PlanError
        These hosts cannot have the new version.
    """
    nodes = describe(cluster, config, facts)
    refusals.check(nodes, config)
    everyone, manager = cluster.hostset, [cluster.manager]
    limit = config.leave_deadline + 2 * GRACE

    def take(host: str) -> Command:
        return _take(nodes, nodes.of(host), config.version)

    return Plan(
        service="spark",
        groups=(
            group("Spark", everyone, *programs(config), _trial(config.version), timeout=TREE_TIMEOUT),
            group("Programs", manager, _idle(nodes, config), after=["Spark"], requires=everyone, timeout=limit),
            group("Master", manager, take, after=["Programs"], timeout=3 * TAKES),
            group("Workers", cluster.workers, take, after=["Master"], requires=manager, timeout=3 * TAKES),
        ),
        artifacts=(tree(config.version),),
    )


def _trial(version: str) -> Command:
    """What cannot start here (an older Java, a damaged tree) is known before any daemon is stopped."""
    trial = 'SPARK_CONF_DIR=/etc/spark "$0/bin/spark-submit" --version 2>&1 | grep -F "version $1"'
    return Command(
        name=f"version {version} starts here",
        argv=("sh", "-c", trial, home(version), version),
        when_changed=(f"{home(version)}/{NOTE}",),
        user="spark",
    )


def _idle(nodes: Nodes, config: Config) -> Command:
    script = ("python3", "-IS", "-c", configuration.text("idle.py"))
    words = (nodes.page, str(int(config.leave_deadline)))
    return Command(
        name="wait until no program runs",
        argv=(*script, "wait", *words),
        unless=(*script, "ask", *words),
        timeout=config.leave_deadline + GRACE,
    )


def _take(nodes: Nodes, node: Node, version: str) -> Command:
    look = configuration.text("workers.py")
    master = (nodes.manager.address, str(MASTER), nodes.page)
    return Command(
        name=f"take version {version}",
        argv=(
            *("bash", "-c", configuration.text("take.sh"), "take"),
            *(home(version), HOME, str(TAKES), *master, look, node.address if node.works else ""),
        ),
        unless=("sh", "-c", '[ "$(readlink "$1")" = "$0" ]', home(version), HOME),
        timeout=3 * TAKES,
    )
