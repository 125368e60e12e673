"""The text of Slurm's configuration files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

from .config import Config
from .nodes import Node, Nodes

_BANNER = "Made by bramble: what is changed here is overwritten by the next `bramble deploy slurm`."


@cache
def _template(name: str) -> Template:
    return Template((files(__package__) / "files" / name).read_text(encoding="utf-8"))


def _filled(name: str, **values: object) -> str:
    text = _template(name).substitute(banner=_BANNER, **values)
    # An option that is off leaves an empty line; two of them in a row are one too many.
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.rstrip("\n") + "\n"


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
        memory_watch=_memory_watch(nodes),
        # What a job gets that asks for nothing: as much for each processor as the poorest node has.
        memory_per_cpu=min(node.memory // node.cpus for node in working),
        nodes="\n".join(_node_line(node) for node in working),
        partitions=f"PartitionName=all Nodes=ALL Default=YES MaxTime={config.max_time} State=UP",
    )


def _memory_watch(nodes: Nodes) -> str:
    if all(node.can_limit_memory for node in nodes.working):
        return ""
    # Where the kernel cannot hold a job to its memory, slurmd looks every few seconds and kills it.
    return "JobAcctGatherFrequency=task=5\nJobAcctGatherParams=OverMemoryKill"


def _node_line(node: Node) -> str:
    words = [f"NodeName={node.name}", f"NodeAddr={node.address}", f"CPUs={node.cpus}"]
    if node.facts.model.startswith("Raspberry Pi"):
        # Every Pi is one chip whose cores run one thread each; of other machines only the count is known.
        words.append(f"Boards=1 SocketsPerBoard=1 CoresPerSocket={node.cpus} ThreadsPerCore=1")
    words += [f"RealMemory={node.memory}", "State=UNKNOWN"]
    return " ".join(words)


def cgroup_conf(node: Node) -> str:
    """cgroup.conf, by what this host's kernel has."""
    limits_memory = node.can_limit_memory
    return _filled(
        "cgroup.conf",
        cores="yes" if node.can_group and "cpuset" in node.facts.controllers else "no",
        memory="yes" if limits_memory else "no",
        # Without this, a job that is too big goes on in swap. The old hierarchy can do it only with a kernel argument.
        swap="yes" if limits_memory and node.facts.cgroup == 2 else "no",
    )
