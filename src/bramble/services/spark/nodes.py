"""What each host is to Spark, worked out from facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from ...errors import PlanError
from ...model import Cluster, Host, reachable
from ...runner.facts import Facts
from ..members import Members
from .config import Config

MIB = 2**20

#: Where the master takes programs and workers, and the web interfaces of master and worker: Spark's own.
MASTER, MASTER_WEB, WORKER_WEB = 7077, 8080, 8081

#: The history server, Spark Connect, and the web interface of what that runs: Spark's own, too, but for the last, whose
#: usual place is for people's programs.
HISTORY, CONNECT, CONNECT_WEB = 18080, 15002, 4039
PORTS = (MASTER, MASTER_WEB, WORKER_WEB, HISTORY, CONNECT, CONNECT_WEB)

#: The unit by which systemd listens at the master's port for the host itself, where that is needed.
NAME_SOCKET = "/etc/systemd/system/spark-master-name.socket"

#: Where a host has Hadoop, programs find its files and its queues by this.
HADOOP = "/etc/hadoop/core-site.xml"

#: MiB of a worker's heap for executors at least, and of an executor at most, unless the options say otherwise.
LEAST, MOST = 512, 1024


@dataclass(frozen=True, kw_only=True)
class Node:
    """A host as Spark sees it.

    Attributes
    ----------
    host
        bramble's name for it.
    address
        Where the others reach it, and all of its daemons listen.
    works
        Whether it runs parts of jobs.
    memory
        MiB for executors: half of what the host has, or a quarter where Hadoop's tasks want theirs.
    """

    host: str
    address: str
    works: bool
    memory: int
    facts: Facts

    @property
    def hadoop(self) -> bool:
        """Whether there is a Hadoop beside it."""
        return HADOOP in self.facts.paths

    @property
    def loopback(self) -> str:
        """What the host takes its own name for, where only it can reach that (Debian: 127.0.1.1); else empty."""
        return next((one for one in self.facts.addresses if ip_address(one).is_loopback and "." in one), "")


@dataclass(frozen=True, kw_only=True)
class Nodes(Members[Node]):
    """All hosts of a cluster."""

    @property
    def url(self) -> str:
        """How programs and workers find the master.

        By address: the manager itself may take its own name for 127.0.1.1, where nobody else could reach it.
        """
        return f"spark://{self.manager.address}:{MASTER}"

    @property
    def page(self) -> str:
        """The master's web interface."""
        return f"http://{self.manager.address}:{MASTER_WEB}"


def describe(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Nodes:
    """Work out what each host is to Spark.

    Raises
    ------
    PlanError
        The manager is not among the hosts, or nobody could reach one of them.
    """
    alone = len(cluster.hosts) == 1
    nodes = tuple(
        _node(host, facts[host.name], config, manages=host.name == cluster.manager, alone=alone)
        for host in cluster.hosts
    )
    cluster.require_manager()
    manager = next(node for node in nodes if node.host == cluster.manager)
    return Nodes(manager=manager, all=nodes)


def _node(host: Host, facts: Facts, config: Config, *, manages: bool, alone: bool) -> Node:
    besides = config.besides if manages else 0
    share = 4 if HADOOP in facts.paths else 2
    memory = config.worker_memory or max(LEAST, (facts.memory // MIB - besides) // share)
    works = alone or config.manager_works or not manages
    return Node(host=host.name, address=_address(host, facts), works=works, memory=memory, facts=facts)


def _address(host: Host, facts: Facts) -> str:
    found = reachable(facts.address, host.address, host.name, *facts.addresses)
    if not found:
        raise PlanError(
            "it has no address at which other hosts can reach it, as far as bramble can see",
            host=host.name,
            hint="is it on the network? ip address; ip route",
        )
    return found
