"""Hosts that cannot have Hadoop, or not together: told by name before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import PlanError
from .catalogue import HOME
from .configuration import DATA
from .nodes import CONTAINER, SYSTEM, Node, Nodes

#: Daemon → the TCP ports where it listens; the last is the one that answers last.
LISTENS = {
    "namenode": (9870, 8020),
    "secondarynamenode": (9868,),
    "datanode": (9864, 9866, 9867),
    "resourcemanager": (8030, 8031, 8032, 8088, 8033),
    "historyserver": (10020, 10033, 19888),
    "nodemanager": (8040, 8041, 8042, 13562),
}

#: Signs of a Hadoop that somebody else set up.
SIGNS = ("/etc/hadoop", "/opt/hadoop", "/usr/local/hadoop", "/usr/lib/hadoop", "/usr/local/bin/hdfs", "/usr/bin/hdfs")

#: There where a host keeps contents of files.
CONTENTS = f"{DATA}/data/current"

#: What plans want to know of hosts for this.
PORTS, PATHS = tuple(port for ports in LISTENS.values() for port in ports), (HOME, CONTENTS, *SIGNS)

#: Bytes of disk that programs take while they come, and that a file system needs to be of any use.
DISK = 10**9

#: MiB of containers without which no job runs: its master, and one task.
LEAST = 3 * CONTAINER


def check(nodes: Nodes, *, jobs: bool) -> None:
    """Refuse what cannot work.

    Raises
    ------
    PlanError
    """
    new = [node for node in nodes.all if HOME not in node.facts.paths]
    _refuse(
        "there is a Hadoop already, which bramble did not make, and nothing of it was touched",
        {node.host: found for node in new for found in [_sign(node)] if found},
        "choose other hosts; or, if nobody needs it, stop it and move these away",
    )
    _refuse(
        "it has no address that other hosts reach it by",
        {node.host: "" for node in nodes.all if not node.address},
        "ip route; or say it in the cluster's file: addresses: {HOST: ADDRESS}",
    )
    names: dict[str, list[str]] = {}
    for node in nodes.all:
        names.setdefault(node.name, []).append(node.host)
    _refuse(
        "they have one name, by which Hadoop would take them for one",
        {", ".join(same): name for name, same in names.items() if len(same) > 1},
        "give each its own: sudo hostnamectl set-hostname NAME",
    )
    _refuse(
        "its name would be that of the machine itself, not one by which others know it",
        {node.host: node.name for node in nodes.all if node.name in ("localhost", "")},
        "sudo hostnamectl set-hostname NAME",
    )
    # A lone host keeps files, and would not once others come: nobody could read them any more.
    _refuse(
        "it keeps parts of files, and would no longer",
        {node.host: CONTENTS for node in nodes.all if not node.works and CONTENTS in node.facts.paths},
        f"let the manager go on with that: --set manager_works=yes; or, if nobody needs them: sudo rm -r {CONTENTS}",
    )
    _memory(nodes, jobs=jobs)
    _refuse(
        "too little free disk for Hadoop",
        {
            node.host: f"{node.facts.disk_free / 1e6:.0f} of {DISK / 1e6:.0f} MB"
            for node in new
            if node.facts.disk_free < DISK
        },
        "free some space: df -h; sudo apt-get clean; sudo journalctl --vacuum-size=50M",
    )
    for node in new:
        _ports(node)


def _memory(nodes: Nodes, *, jobs: bool) -> None:
    small = {node.host: node for node in nodes.all if node.memory < SYSTEM + node.resident}
    tight = {node.host: node for node in nodes.working if jobs and node.containers < LEAST and node.host not in small}
    if not small and not tight:
        return
    manager = nodes.manager
    if manager.host in (*small, *tight) and manager.works and len(nodes.all) > 1:
        hint = "let the manager only command: --set manager_works=no"
    elif manager.host in small:
        hint = "make a host with more memory the manager: --manager HOST; or files alone, without jobs: --set yarn=no"
    elif jobs:
        hint = "leave them out (--hosts), or have files alone, without jobs: --set yarn=no"
    else:
        hint = "leave them out: --hosts"
    found = {name: f"{node.memory} of {SYSTEM + node.resident} MiB" for name, node in small.items()}
    found |= {name: f"{node.memory} MiB leave tasks {node.containers} of {LEAST} MiB" for name, node in tight.items()}
    _refuse("too little memory for its part in Hadoop", found, hint)


def _sign(node: Node) -> str:
    return next((sign for sign in SIGNS if sign in node.facts.paths), "")


def _ports(node: Node) -> None:
    wanted = {port: daemon for daemon in node.daemons for port in LISTENS[daemon]}
    taken = {int(port): who for port, who in node.facts.ports.items() if int(port) in wanted}
    if taken:
        listed = "; ".join(f"{port} (for the {wanted[port]}) is taken by {who}" for port, who in taken.items())
        raise PlanError(
            f"{node.host}: Hadoop needs TCP ports that are taken: {listed}", hint=f"ssh {node.host} sudo ss -ltnp"
        )


def _refuse(what: str, hosts: Mapping[str, str], hint: str) -> None:
    if hosts:
        named = ", ".join(f"{host} ({why})" if why else host for host, why in hosts.items())
        raise PlanError(f"{named}: {what}", hint=hint)
