"""What each host is to Spark, worked out from facts; and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from ...errors import PlanError
from ...model import Cluster, Host
from ...runner.facts import Facts
from .config import SMALLEST_HEAP, Config

MIB = 2**20

#: Where the master takes programs and workers, and the web interfaces of master and worker: Spark's own.
MASTER, MASTER_WEB, WORKER_WEB = 7077, 8080, 8081
PORTS = (MASTER, MASTER_WEB, WORKER_WEB)

#: The unit by which systemd listens at the master's port for the host itself, where that is needed.
NAME_SOCKET = "/etc/systemd/system/spark-master-name.socket"

#: Who listens there by right.
_OURS = ("spark-master.service", "spark-worker.service")

#: MiB of memory without which a host can do its part, where a Pi that is sold with 1 GB (2 GB) must pass: the firmware
#: keeps some of it. A worker takes 175 MiB and an executor 230 to 650; so does the master, beside people's programs.
WORKS, WORKS_AND_MANAGES = 800, 1_750

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
        MiB for executors.
    """

    host: str
    address: str
    works: bool
    memory: int
    facts: Facts

    @property
    def loopback(self) -> str:
        """What the host takes its own name for, where only it can reach that (Debian: 127.0.1.1); else empty."""
        return next((one for one in self.facts.addresses if ip_address(one).is_loopback and "." in one), "")


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """All hosts of a cluster."""

    manager: Node
    all: tuple[Node, ...]

    @property
    def working(self) -> tuple[Node, ...]:
        """Those that run parts of jobs."""
        return tuple(node for node in self.all if node.works)

    @property
    def url(self) -> str:
        """How programs and workers find the master.

        By address: the manager itself may take its own name for 127.0.1.1, where nobody else could reach it.
        """
        return f"spark://{self.manager.address}:{MASTER}"

    def of(self, host: str) -> Node:
        """The node of a host."""
        return next(node for node in self.all if node.host == host)


def describe(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Nodes:
    """Work out what each host is to Spark.

    Raises
    ------
    PlanError
        Hosts that cannot have Spark, or not together; the message names them.
    """
    alone = len(cluster.hosts) == 1
    nodes = tuple(
        _node(host, facts[host.name], config, works=alone or config.manager_works or host.name != cluster.manager)
        for host in cluster.hosts
    )
    manager = next((node for node in nodes if node.host == cluster.manager), None)
    if manager is None:
        raise PlanError(
            f"{cluster.manager} manages the cluster {cluster.name}, and is not among the hosts",
            hint=f"take it in, or make another host the manager: --manager {cluster.hosts[0].name}",
        )
    found = Nodes(manager=manager, all=nodes)
    for node in nodes:
        _require_memory(node, manages=node is manager)
        _require_ports(node, manages=node is manager)
    _require_one_python(nodes)
    return found


def _node(host: Host, facts: Facts, config: Config, *, works: bool) -> Node:
    memory = config.worker_memory or max(LEAST, facts.memory // MIB // 2)
    return Node(host=host.name, address=_address(host, facts), works=works, memory=memory, facts=facts)


def _address(host: Host, facts: Facts) -> str:
    for candidate in (facts.address, host.address, host.name, *facts.addresses):
        try:
            if not ip_address(candidate).is_loopback:
                return candidate
        except ValueError:
            continue
    raise PlanError(
        "it has no address at which other hosts can reach it, as far as bramble can see",
        host=host.name,
        hint="is it on the network? ip address; ip route",
    )


def _require_memory(node: Node, *, manages: bool) -> None:
    there = node.facts.memory // MIB
    needed = (WORKS_AND_MANAGES if manages else WORKS) if node.works else WORKS
    if there < needed:
        both = " and the master beside it" if manages and node.works else ""
        raise PlanError(
            f"it has {there} MiB of memory, and Spark needs {needed} there{both}",
            host=node.host,
            why=f"a program's share must be {SMALLEST_HEAP} MiB at least, besides the daemon and the system",
            hint="leave it out (--hosts), or make a bigger host the manager (--manager)"
            + (", which does not work itself: --set manager_works=no" if both else ""),
        )
    if node.works and node.memory > there:
        raise PlanError(
            f"it has {there} MiB of memory, and worker_memory is {node.memory}",
            host=node.host,
            hint="choose less, or leave it to bramble: --set worker_memory=none",
        )


def _require_ports(node: Node, *, manages: bool) -> None:
    # Spark would take the next one without a word, and nobody would find it.
    wanted = [*((MASTER, MASTER_WEB) if manages else ()), *((WORKER_WEB,) if node.works else ())]
    for port in wanted:
        holder = node.facts.ports.get(str(port))
        by_name = NAME_SOCKET in node.facts.paths and holder == "systemd (pid 1)"
        if holder and not by_name and not any(unit in holder for unit in _OURS):
            raise PlanError(
                f"its port {port}, which Spark needs, is taken by {holder}",
                host=node.host,
                hint=f"let that listen elsewhere, or end it: sudo ss -tlnp sport = :{port}",
            )


def _require_one_python(nodes: tuple[Node, ...]) -> None:
    minors: dict[str, list[str]] = {}
    for node in nodes:
        minors.setdefault(".".join(node.facts.python.split(".")[:2]), []).append(node.host)
    if len(minors) > 1:
        described = "; ".join(f"{', '.join(hosts)}: Python {minor}" for minor, hosts in sorted(minors.items()))
        raise PlanError(
            f"these hosts have different Pythons, and programs for Spark in Python need the same: {described}",
            hint="deploy on hosts of one system release (--hosts)",
        )
