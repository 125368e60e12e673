"""The text of Slurm's configuration files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from string import Template

from .config import Config
from .nodes import MIB, Node, Nodes

#: The database on the manager that job accounting is kept in: Slurm's default name.
DATABASE = "slurm_acct_db"

_BANNER = "Made by bramble: what is changed here is overwritten by the next `bramble deploy slurm`."


def text(name: str) -> str:
    """A file of this room as it is."""
    return (files(__package__) / "files" / name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    return Template(text(name))


def _filled(name: str, **values: object) -> str:
    filled = _template(name).substitute(banner=_BANNER, **values)
    # An option that is off leaves an empty line; two of them in a row are one too many.
    while "\n\n\n" in filled:
        filled = filled.replace("\n\n\n", "\n\n")
    return filled.rstrip("\n") + "\n"


def slurm_conf(nodes: Nodes, config: Config) -> str:
    """slurm.conf, the same on every host."""
    working = nodes.working
    return _filled(
        "slurm.conf",
        # The cluster's own name may change with its hosts; Slurm refuses to start under another name than before.
        cluster=nodes.manager.name.lower(),
        controller=f"{nodes.manager.name}({nodes.manager.address})",
        proctrack="proctrack/cgroup" if nodes.can_group else "proctrack/linuxproc",
        task="task/cgroup,task/affinity" if nodes.can_group else "task/affinity",
        accounting=_accounting(nodes, config),
        mpi="pmix" if config.mpi == "pmix" else "none",
        memory_per_cpu=max(1, min(node.memory // node.cpus for node in working)),
        gres_types=f"GresTypes={','.join(gres.name for gres in nodes.gres)}" if nodes.gres else "",
        nodes="\n".join(_node_line(nodes, node) for node in working),
        partitions="\n".join(_partition_lines(nodes, config)),
        extra="\n".join(config.extra),
    )


def _accounting(nodes: Nodes, config: Config) -> str:
    lines = []
    if config.accounting:
        lines += ["AccountingStorageType=accounting_storage/slurmdbd", f"AccountingStorageHost={nodes.manager.address}"]
    if nodes.watches_memory:
        # Where the kernel cannot hold a job to its memory, slurmd looks every few seconds and kills it.
        lines += ["JobAcctGatherParams=OverMemoryKill", "JobAcctGatherFrequency=task=5"]
    if lines:
        lines.append("JobAcctGatherType=jobacct_gather/linux")
    return "\n".join(lines)


def _node_line(nodes: Nodes, node: Node) -> str:
    words = [f"NodeName={node.name}", f"NodeAddr={node.address}", f"CPUs={node.cpus}"]
    if node.facts.model.startswith("Raspberry Pi"):
        # Every Pi is one chip whose cores run one thread each; of other machines only the count is known.
        words.append(f"Boards=1 SocketsPerBoard=1 CoresPerSocket={node.cpus} ThreadsPerCore=1")
    words.append(f"RealMemory={node.memory}")
    things = [f"{gres.name}:{gres.count}" for gres in nodes.gres if node in gres.nodes]
    if things:
        words.append(f"Gres={','.join(things)}")
    return " ".join([*words, "State=UNKNOWN"])


def _partition_lines(nodes: Nodes, config: Config) -> Iterable[str]:
    default_time = f" DefaultTime={config.default_time}" if config.default_time else ""
    for number, partition in enumerate(nodes.partitions):
        default = "YES" if number == 0 else "NO"
        words = f"PartitionName={partition.name} Nodes={','.join(node.name for node in partition.nodes)}"
        yield f"{words} Default={default} MaxTime={partition.max_time}{default_time} State=UP"


def cgroup_conf(nodes: Nodes, node: Node) -> str:
    """cgroup.conf, by what this host's kernel has."""
    limits = nodes.can_group and node.can_limit_memory
    devices = nodes.can_group and node.can_limit_devices and any(gres.files for gres in nodes.gres)
    return _filled(
        "cgroup.conf",
        cores="yes" if nodes.can_group and "cpuset" in node.facts.controllers else "no",
        memory="yes" if limits else "no",
        # Without this, a job that is too big goes on in swap. The old hierarchy needs a kernel argument for it.
        swap="yes" if limits and node.facts.cgroup == 2 else "no",
        devices="yes" if devices else "no",
    )


def gres_conf(nodes: Nodes) -> str:
    """gres.conf, the same on every host; empty of lines where there is nothing of the kind."""
    lines = []
    for gres in nodes.gres:
        where = ",".join(node.name for node in gres.nodes)
        what = f"File={gres.files}" if gres.files else f"Count={gres.count}"
        lines.append(f"NodeName={where} Name={gres.name} {what}")
    return _filled("gres.conf", lines="\n".join(lines))


def slurmdbd_conf(manager: Node) -> str:
    """slurmdbd.conf, on the manager."""
    return _filled("slurmdbd.conf", host=manager.name, address=manager.address, database=DATABASE)


def mariadb_conf(manager: Node) -> str:
    """MariaDB's settings for a Pi: a sixteenth of the memory for its pages, where a server would take half."""
    return _filled("mariadb.cnf", buffer=f"{max(64, manager.facts.memory // 16 // MIB)}M")


def accounting_sql() -> str:
    """Makes the database and lets the user slurm in."""
    return _template("accounting.sql").substitute(database=DATABASE)
