"""What each host is to Hadoop, and how much memory each daemon and task may take, worked out from facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...model import Cluster, Host, reachable
from ...runner.facts import Facts
from ..members import Members
from .config import Config

MIB = 2**20

#: MiB that each daemon keeps resident beside its heap [measured after jobs, less the heap, rounded up].
BESIDE = 64

#: MiB that a system needs beside Hadoop, and the share of a host's memory that tasks may have: what they and HDFS read
#: must find room in the page cache.
SYSTEM, SHARE = 384, 0.65

#: MiB of the smallest container, of which all others are multiples: a task's Java with a heap of 160 MiB peaks at 222
#: [measured].
CONTAINER = 256

#: Hosts on which a new file lies, where nobody says otherwise.
COPIES = 3

#: Daemons of the manager, and of hosts that work.
COMMANDING = ("namenode", "secondarynamenode", "resourcemanager", "historyserver")
WORKING = ("datanode", "nodemanager")

#: Those that are there for jobs.
FOR_JOBS = ("resourcemanager", "historyserver", "nodemanager")


@dataclass(frozen=True, kw_only=True)
class Node:
    """A host as Hadoop sees it.

    Attributes
    ----------
    host
        bramble's name for it.
    name
        What it calls itself, by which daemons report to each other.
    address
        Where the others reach it.
    daemons
        Those that run there.
    asked
        MiB for tasks, where the user says how many.
    """

    host: str
    name: str
    address: str
    daemons: tuple[str, ...]
    facts: Facts
    asked: int | None = None

    @property
    def works(self) -> bool:
        """Whether it keeps files."""
        return "datanode" in self.daemons

    @property
    def memory(self) -> int:
        """MiB that it has."""
        return self.facts.memory // MIB

    def heap(self, daemon: str) -> int:
        """MiB of a daemon's heap."""
        commands = daemon in ("namenode", "resourcemanager")
        if self.memory > 6144:
            return 512 if commands else 256
        if self.memory > 3072:
            return 256 if commands else 192
        return 192 if commands else 128

    @property
    def resident(self) -> int:
        """MiB that its daemons take together."""
        return sum(self.heap(daemon) + BESIDE for daemon in self.daemons)

    @property
    def containers(self) -> int:
        """MiB that tasks may have together."""
        free = min(self.memory * SHARE, self.memory - SYSTEM - self.resident)
        return self.asked or max(0, int(free) // CONTAINER * CONTAINER)

    @property
    def cores(self) -> int:
        """Tasks at a time: a job's master and one task beside it must have room anywhere."""
        return max(2, self.facts.cpus)


@dataclass(frozen=True, kw_only=True)
class Nodes(Members[Node]):
    """All hosts of a cluster, the manager among them, in the cluster's order.

    Attributes
    ----------
    copies
        On how many hosts each new file lies.
    """

    copies: int

    @property
    def task(self) -> int:
        """MiB of a map or a reduce, the same on all hosts."""
        smallest = min(node.containers for node in self.working)
        return 2 * CONTAINER if smallest >= 8 * CONTAINER else CONTAINER

    @property
    def most(self) -> int:
        """MiB of the largest container that a program may ask for."""
        return max(node.containers for node in self.working)


def describe(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Nodes:
    """Work out what each host is to Hadoop.

    Raises
    ------
    PlanError
        The manager is not among the hosts.
    """
    alone = len(cluster.hosts) == 1

    def node(host: Host) -> Node:
        commands = host.name == cluster.manager
        daemons: tuple[str, ...] = COMMANDING if commands else ()
        if alone or config.manager_works or not commands:
            daemons += WORKING
        known = facts[host.name]
        return Node(
            host=host.name,
            name=known.hostname.split(".")[0],
            address=reachable(host.address, host.name, known.address) or known.address,
            daemons=tuple(one for one in daemons if config.yarn or one not in FOR_JOBS),
            facts=known,
            asked=config.container_memory,
        )

    nodes = tuple(map(node, cluster.hosts))
    cluster.require_manager()
    manager = next(one for one in nodes if one.host == cluster.manager)
    working = sum(one.works for one in nodes)
    return Nodes(manager=manager, all=nodes, copies=min(config.replication or COPIES, working))
