"""What each host is to Slurm, worked out from facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...model import Cluster, Host, HostSet, reachable
from ...runner.facts import Facts
from ..members import Members
from . import releases
from .config import Config

MIB = 2**20

#: Share of a host's memory that jobs may have; the system needs the rest. With more, a kernel update that keeps a
#: little for itself makes Slurm drain the node for "Low RealMemory".
MEMORY_SHARE = 0.95


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
        Of its Slurm, such as ``22.05``; empty where it is not known.
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
        return "memory" in self.facts.controllers

    @property
    def can_limit_devices(self) -> bool:
        """Whether the kernel can keep devices from a job; in the unified hierarchy it always can."""
        return self.facts.cgroup == 2 or "devices" in self.facts.controllers


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A partition and the nodes in it."""

    name: str
    nodes: tuple[Node, ...]
    max_time: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A generic resource and the nodes that have it."""

    name: str
    nodes: tuple[Node, ...]
    count: int
    files: str


@dataclass(frozen=True, kw_only=True)
class Nodes(Members[Node]):
    """All hosts of a cluster, with its queues and resources."""

    partitions: tuple[Queue, ...] = ()
    empty: tuple[str, ...] = ()  # names of queues without a node
    gres: tuple[Resource, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def can_group(self) -> bool:
        """Whether every one that runs jobs can keep them in control groups: slurm.conf is one for all."""
        return all(node.can_group for node in self.working)

    @property
    def watches_memory(self) -> bool:
        """Whether slurmd itself must look after jobs' memory, because a kernel cannot."""
        return not self.can_group or not all(node.can_limit_memory for node in self.working)

    def queue_of(self, nodes: tuple[Node, ...]) -> Queue | None:
        """The first queue that has all of these nodes."""
        return next((queue for queue in self.partitions if all(node in queue.nodes for node in nodes)), None)


def describe(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Nodes:
    """Work out what each host is to Slurm.

    Raises
    ------
    PlanError
        The manager is not among the hosts.
    """
    alone = len(cluster.hosts) == 1
    nodes = tuple(
        _node(host, facts[host.name], works=alone or config.manager_works or host.name != cluster.manager)
        for host in cluster.hosts
    )
    cluster.require_manager()
    manager = next(node for node in nodes if node.host == cluster.manager)
    working = tuple(node for node in nodes if node.works)
    notes: list[str] = []
    queues = _partitions(cluster, config, working, notes)
    return Nodes(
        manager=manager,
        all=nodes,
        partitions=tuple(queue for queue in queues if queue.nodes),
        empty=tuple(queue.name for queue in queues if not queue.nodes),
        gres=tuple(_resources(cluster, config, working, notes)),
        notes=tuple(notes),
    )


def _node(host: Host, facts: Facts, works: bool) -> Node:
    return Node(
        host=host.name,
        name=facts.hostname.split(".")[0],
        address=_address(host, facts),
        version=releases.version_of(facts),
        works=works,
        facts=facts,
    )


def _address(host: Host, facts: Facts) -> str:
    # No entry in /etc/hosts is needed, and a host that resolves its own name to 127.0.1.1 does no harm, when
    # slurm.conf holds addresses.
    return reachable(host.address, host.name, facts.address) or facts.hostname


def _partitions(cluster: Cluster, config: Config, working: tuple[Node, ...], notes: list[str]) -> list[Queue]:
    queues = []
    for wanted in config.partitions:
        chosen = _chosen(f"partition {wanted.name}", cluster, wanted.hosts, working, notes) if wanted.hosts else working
        queues.append(Queue(name=wanted.name, nodes=chosen, max_time=wanted.max_time or config.max_time))
    if not queues:
        return [Queue(name="all", nodes=working, max_time=config.max_time)]
    idle = [node.host for node in working if not any(node in queue.nodes for queue in queues)]
    if idle:
        notes.append(f"{', '.join(idle)}: in no partition, so no job comes there")
    return queues


def _resources(cluster: Cluster, config: Config, working: tuple[Node, ...], notes: list[str]) -> list[Resource]:
    found = []
    for wanted in config.gres:
        nodes = _chosen(f"gres {wanted.name}", cluster, wanted.hosts, working, notes)
        if nodes:
            found.append(Resource(name=wanted.name, nodes=nodes, count=wanted.number, files=wanted.files))
    return found


def _chosen(
    what: str, cluster: Cluster, expression: str, working: tuple[Node, ...], notes: list[str]
) -> tuple[Node, ...]:
    """Nodes of an expression. Hosts that are not there (any more) are noted: options outlive hosts."""
    names = HostSet.parse(expression, cluster.groups).names
    known = {node.host for node in working}
    strangers = [name for name in names if name not in known]
    if strangers:
        notes.append(f"{what}: {HostSet(strangers)} runs no jobs in this cluster and is left out")
    return tuple(node for node in working if node.host in names)
