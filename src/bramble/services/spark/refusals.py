"""Hosts that cannot have Spark, or not together."""

from __future__ import annotations

from ...errors import PlanError
from .config import SMALLEST_HEAP, Config
from .nodes import CONNECT, CONNECT_WEB, HISTORY, MASTER, MASTER_WEB, MIB, NAME_SOCKET, WORKER_WEB, Node, Nodes

#: MiB of memory without which a host can do its part, where a Pi that is sold with 1 GB (2 GB) must pass: the firmware
#: keeps some of it. A worker takes 175 MiB and an executor 230 to 650; so does the master, beside people's programs.
WORKS, WORKS_AND_MANAGES = 800, 1_750

#: Who listens at Spark's ports by right.
_OURS = ("spark-master.service", "spark-worker.service", "spark-history.service", "spark-connect.service")


def check(nodes: Nodes, config: Config) -> None:
    """Refuse what cannot be.

    Raises
    ------
    PlanError
        The message names the hosts.
    """
    for node in nodes.all:
        _require_memory(node, config, manages=node is nodes.manager)
        _require_ports(node, config, manages=node is nodes.manager)
    _require_one_python(nodes)


def _require_memory(node: Node, config: Config, *, manages: bool) -> None:
    there = node.facts.memory // MIB
    besides = config.besides if manages else 0
    needed = (WORKS_AND_MANAGES if manages and node.works else WORKS) + besides
    if there < needed:
        both = " and the master beside it" if manages and node.works else ""
        options = [f"--set {name}=no" for name in ("manager_works", "history", "connect") if getattr(config, name)]
        less = f"; or ask for less of it: {' '.join(options)}" if manages and options else ""
        raise PlanError(
            f"it has {there} MiB of memory, and Spark needs {needed} there{both}",
            host=node.host,
            why=f"a program's share must be {SMALLEST_HEAP} MiB at least, besides the daemons and the system",
            hint=f"leave it out (--hosts), or make a bigger host the manager (--manager){less}",
        )
    if node.works and node.memory > there:
        raise PlanError(
            f"it has {there} MiB of memory, and worker_memory is {node.memory}",
            host=node.host,
            hint="choose less, or leave it to bramble: --set worker_memory=none",
        )


def _require_ports(node: Node, config: Config, *, manages: bool) -> None:
    # Spark would take the next one without a word, and nobody would find it.
    wanted = [WORKER_WEB] if node.works else []
    if manages:
        wanted += [MASTER, MASTER_WEB, *([HISTORY] if config.history else [])]
        wanted += [CONNECT, CONNECT_WEB] if config.connect else []
    for port in wanted:
        holder = node.facts.ports.get(str(port))
        by_name = NAME_SOCKET in node.facts.paths and holder == "systemd (pid 1)"
        if holder and not by_name and not any(unit in holder for unit in _OURS):
            raise PlanError(
                f"its port {port}, which Spark needs, is taken by {holder}",
                host=node.host,
                hint=f"let that listen elsewhere, or end it: sudo ss -tlnp sport = :{port}",
            )


def _require_one_python(nodes: Nodes) -> None:
    minors: dict[str, list[str]] = {}
    for node in nodes.all:
        minors.setdefault(".".join(node.facts.python.split(".")[:2]), []).append(node.host)
    if len(minors) > 1:
        described = "; ".join(f"{', '.join(hosts)}: Python {minor}" for minor, hosts in sorted(minors.items()))
        raise PlanError(
            f"these hosts have different Pythons, and programs for Spark in Python need the same: {described}",
            hint="deploy on hosts of one system release (--hosts)",
        )
