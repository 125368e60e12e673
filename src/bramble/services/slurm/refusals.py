"""Hosts that cannot have Slurm, or not together: refused before anything changes."""

from __future__ import annotations

from ...errors import PlanError
from . import releases
from .config import Config
from .nodes import Node, Nodes

#: Seconds a host's clock may differ. Munge's credentials live for 300 s, and clocks that nobody sets drift further.
MAX_SKEW = 60.0

#: Bytes of memory the manager needs for job accounting, where a Pi that is sold with 2 GB must pass: the firmware keeps
#: some of it for the graphics.
ACCOUNTING_MEMORY = 1_750 * 2**20


def check(nodes: Nodes, config: Config) -> None:
    """Refuse what cannot be.

    Raises
    ------
    PlanError
        With the hosts, the reason and what to do.
    """
    manager = nodes.manager
    _names(nodes.all)
    _clocks(nodes.all)
    _versions(manager, nodes.all)
    if config.accounting and manager.facts.memory < ACCOUNTING_MEMORY:
        raise PlanError(
            f"it has {manager.facts.memory / 2**30:.1f} GiB of memory, and job accounting needs 2 GB on the manager",
            host=manager.host,
            hint="make a bigger host the manager (--manager), or do without: --set accounting=no",
        )


def check_queues(nodes: Nodes) -> None:
    """Refuse a queue that has no host (any more).

    Raises
    ------
    PlanError
        Names the queues.
    """
    if nodes.empty:
        raise PlanError(
            f"no host would be left in the partition {', '.join(nodes.empty)}",
            why="none of the hosts it names runs jobs in this cluster",
            hint="give it other hosts, or take it out: the option partitions",
        )


def _names(nodes: tuple[Node, ...]) -> None:
    hint = "give each host a name of its own: sudo hostnamectl set-hostname NAME"
    by_name: dict[str, list[str]] = {}
    for node in nodes:
        by_name.setdefault(node.name.lower(), []).append(node.host)
        if node.name in ("localhost", ""):
            raise PlanError("the host calls itself localhost, as every host does", host=node.host, hint=hint)
    for name, hosts in by_name.items():
        if len(hosts) > 1:
            raise PlanError(
                f"{', '.join(hosts)} all call themselves {name!r}, and Slurm could not tell them apart", hint=hint
            )


def _clocks(nodes: tuple[Node, ...]) -> None:
    wrong = [node for node in nodes if abs(node.facts.skew) > MAX_SKEW]
    if not wrong:
        return
    described = [
        f"{node.host} is {abs(node.facts.skew):.0f} s {'ahead' if node.facts.skew > 0 else 'behind'}" for node in wrong
    ]
    raise PlanError(
        f"clocks differ too much from this machine's: {', '.join(described)}",
        why="munge, by which the hosts of a Slurm cluster trust each other, refuses messages that are minutes old",
        hint="let the hosts keep the time: sudo timedatectl set-ntp true; then look: timedatectl status",
    )


def _versions(manager: Node, nodes: tuple[Node, ...]) -> None:
    # Where the version is not known, one release still has one version.
    controller = manager.version or manager.facts.codename
    strangers = [node for node in nodes if not releases.understands(controller, node.version or node.facts.codename)]
    if not strangers:
        return

    def described(node: Node) -> str:
        release = node.facts.codename or node.facts.os
        return f"{node.host} has Slurm {node.version or 'of an unknown version'} ({release})"

    raise PlanError(
        f"these hosts cannot form one cluster: {', '.join(described(node) for node in (manager, *strangers))}",
        why=f"Slurm {manager.version or 'of an unknown version'} on the manager talks to its own version and the "
        f"{releases.REACH[releases.at_least(manager.version, '24.11')]} before it",
        hint="deploy on hosts of one system release, or make the host with the newest one the manager: --manager",
    )
