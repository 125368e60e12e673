"""What each host is to Slurm, worked out from facts; and which hosts cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from ...errors import PlanError
from ...model import Cluster, Host
from ...runner.facts import Facts
from . import releases
from .config import Config

#: Share of a host's memory that jobs may have; the system needs the rest. With more, a kernel update that reserves a
#: little for itself makes Slurm drain the node for "Low RealMemory".
MEMORY_SHARE = 0.95

#: Seconds a host's clock may differ. Munge's credentials live for 300 s, and clocks drift apart further.
MAX_SKEW = 60.0

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Node:
    """A host as Slurm sees it.

    Attributes
    ----------
    host
        bramble's name for it.
    name
        What it calls itself: slurmd finds its own line in slurm.conf by that.
    address
        Where the others reach it; its name where nothing better is known.
    version
        Of its Slurm, such as ``22.05``.
    works
        Whether it runs jobs.
    """

    host: str
    name: str
    address: str
    version: str
    works: bool
    facts: Facts

    @property
    def cpus(self) -> int:
        """Processors for jobs."""
        return self.facts.cpus

    @property
    def memory(self) -> int:
        """MiB for jobs."""
        return max(1, int(self.facts.memory * MEMORY_SHARE / MIB))

    @property
    def can_group(self) -> bool:
        """Whether its Slurm can keep jobs in control groups: the unified hierarchy needs a Slurm that knows it."""
        if self.facts.cgroup == 2:
            return releases.at_least(self.version, "22.05")
        return {"freezer", "cpuset"} <= set(self.facts.controllers)

    @property
    def can_limit_memory(self) -> bool:
        """Whether the kernel can hold a job to its memory."""
        return self.can_group and "memory" in self.facts.controllers


@dataclass(frozen=True)
class Nodes:
    """All hosts of a cluster, the manager among them, in the cluster's order."""

    manager: Node
    all: tuple[Node, ...]

    @property
    def working(self) -> tuple[Node, ...]:
        """Those that run jobs."""
        return tuple(node for node in self.all if node.works)

    @property
    def hosts(self) -> tuple[str, ...]:
        """bramble's names of all."""
        return tuple(node.host for node in self.all)

    @property
    def working_hosts(self) -> tuple[str, ...]:
        """bramble's names of those that run jobs."""
        return tuple(node.host for node in self.working)

    @property
    def can_group(self) -> bool:
        """Whether every one that runs jobs can keep them in control groups: slurm.conf is one for all."""
        return all(node.can_group for node in self.working)

    def of(self, host: str) -> Node:
        """The node of a host."""
        return next(node for node in self.all if node.host == host)


def describe(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Nodes:
    """Work out what each host is to Slurm.

    Raises
    ------
    PlanError
        Hosts that cannot have Slurm, or not together; the message names them.
    """
    alone = len(cluster.hosts) == 1
    nodes = tuple(
        _node(host, facts[host.name], works=alone or config.manager_works or host.name != cluster.manager)
        for host in cluster.hosts
    )
    _refuse_same_names(nodes)
    _refuse_skewed(nodes)
    releases.refuse_strangers(cluster.manager, cluster.hostset.names, dict(facts))
    return Nodes(next(node for node in nodes if node.host == cluster.manager), nodes)


def _node(host: Host, facts: Facts, works: bool) -> Node:
    name = facts.hostname.split(".")[0]
    version = releases.version_of(facts)
    return Node(host=host.name, name=name, address=_address(host, facts), version=version, works=works, facts=facts)


def _address(host: Host, facts: Facts) -> str:
    # No entry in /etc/hosts is needed, and a host that resolves its own name to 127.0.1.1 does no harm, when
    # slurm.conf holds addresses.
    for candidate in (host.address, facts.address):
        try:
            if candidate and not ip_address(candidate).is_loopback:
                return candidate
        except ValueError:
            continue
    return facts.hostname


def _refuse_same_names(nodes: tuple[Node, ...]) -> None:
    by_name: dict[str, list[str]] = {}
    for node in nodes:
        by_name.setdefault(node.name, []).append(node.host)
    for name, hosts in by_name.items():
        if len(hosts) > 1:
            raise PlanError(
                f"{', '.join(hosts)} all call themselves {name!r}, and Slurm could not tell them apart",
                hint="give each a name of its own: sudo hostnamectl set-hostname NAME",
            )
        if name in ("localhost", ""):
            raise PlanError(
                "the host calls itself localhost, as every host does",
                host=hosts[0],
                hint="give it a name of its own: sudo hostnamectl set-hostname NAME",
            )


def _refuse_skewed(nodes: tuple[Node, ...]) -> None:
    for node in nodes:
        if abs(node.facts.skew) > MAX_SKEW:
            raise PlanError(
                f"its clock is {abs(node.facts.skew):.0f} s {'ahead' if node.facts.skew > 0 else 'behind'}",
                host=node.host,
                why="munge, by which Slurm's hosts trust each other, refuses messages that are minutes old",
                hint="let it keep the time: sudo timedatectl set-ntp true; timedatectl status",
            )
