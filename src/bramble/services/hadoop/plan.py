"""What is to be done on each host to bring Hadoop up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, Group, Line, Link, Tree, Unit, User, Wait
from .. import LIBRARY
from . import catalogue, refusals
from .config import VERSIONS, Config
from .configuration import CONF, DAEMONS, DATA, LEAVING, LOGS, MEMBERS, SCRATCH, members, site, unit, unit_name
from .nodes import Node, Nodes, describe
from .text import text

#: Marks on the manager, beside the data and going with them: the file system was made, and its first folders.
FORMATTED, LAID_OUT = f"{DATA}/formatted", f"{DATA}/laid-out"

#: Seconds for a daemon to answer: Java starts slowly on a small Pi.
STARTS = 180.0

#: Seconds in which hosts tell of all they keep.
WRITABLE = 120.0

SITES = ("core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml")


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """The daemons that command on the manager, the others on all that work.

    Raises
    ------
    PlanError
        Hosts that cannot have Hadoop, or not together; the message names them.
    """
    nodes = describe(cluster, config, facts)
    refusals.check(nodes, jobs=config.yarn)
    manager, everyone, working = [cluster.manager], nodes.hosts, nodes.working_hosts

    groups = (
        group("Users", everyone, *_users()),
        group("Names", everyone, lambda host: _names(nodes, nodes.of(host))),
        group("Programs", everyone, *programs(config.version), *_commands(config.version)),
        group("Folders", everyone, lambda host: _folders(nodes.of(host))),
        group("Configuration", everyone, lambda host: _files(nodes, nodes.of(host))),
        group("Names of files", manager, *_namenode(cluster, nodes)),
        group(
            "Content of files",
            working,
            lambda host: _daemons(nodes.of(host), "datanode"),
            after=["Names of files"],
            requires=manager,
        ),
        group("Folders for all", manager, *_first_folders(cluster, nodes), after=["Content of files"]),
        group("Jobs", manager, *_jobs(nodes)),
        group(
            "Tasks",
            working if config.yarn else (),
            lambda host: _daemons(nodes.of(host), "nodemanager"),
            after=["Jobs"],
            requires=manager,
        ),
    )
    return Plan(
        service="hadoop",
        groups=tuple(part for part in groups if any(part.steps.values())),
        artifacts=catalogue.artifacts(config, ()),
        notes=_notes(nodes),
    )


def _users() -> Iterator[Step]:
    yield Group(name="hadoop")
    for user in ("hdfs", "yarn", "mapred"):
        yield User(name=user, group="hadoop")


def _names(nodes: Nodes, node: Node) -> Iterator[Step]:
    """Daemons tell each other names, so every host must know all; its own must not lead to itself alone.

    Raspberry Pi OS writes ``127.0.1.1 red01``: tasks on other hosts would then look for this one on their own.
    """
    own = rf"^\s*127\.(?!.*\slocalhost(\s|$))\S+\s(.*\s)?{re.escape(node.name)}(\s|$)"
    yield Line(path="/etc/hosts", line=f"127.0.1.1\t{node.name}", match=own, absent=True)
    for other in nodes.all:
        yield Line(path="/etc/hosts", line=f"{other.address}\t{other.name}")


def programs(version: str) -> Iterator[Step]:
    """All that a version brings; nothing uses it yet."""
    yield Directory(path=LIBRARY)
    yield Tree(artifact=catalogue.tree(version).id, path=catalogue.home(version))


def in_use(version: str) -> Link:
    """The version that everything uses from its next start."""
    others = tuple(catalogue.home(other) for other in VERSIONS if other != version)
    return Link(path=catalogue.HOME, target=catalogue.home(version), ours=others)


def _commands(version: str) -> Iterator[Step]:
    yield in_use(version)
    for command in catalogue.COMMANDS:
        yield Link(path=f"/usr/local/bin/{command}", target=f"{catalogue.HOME}/bin/{command}")


def _folders(node: Node) -> Iterator[Step]:
    yield Directory(path=CONF)
    yield Directory(path=DATA, data=True)
    kept = ["data"] if node.works else []
    if "namenode" in node.daemons:
        kept += ["names", "secondary"]
    for name in kept:
        yield Directory(path=f"{DATA}/{name}", mode=0o700, owner="hdfs", group="hadoop", data=True)
        yield _adopt(f"{DATA}/{name}")
    if "nodemanager" in node.daemons:
        yield Directory(path=SCRATCH, owner="yarn", group="hadoop", scratch=True)
        yield Directory(path=LOGS, owner="yarn", group="hadoop", scratch=True)


def _adopt(folder: str) -> Step:
    """What was kept from an earlier time may belong to a number that is nobody's now, or another's."""
    return Command(
        name=f"give {folder} to hdfs",
        argv=("chown", "-R", "hdfs:hadoop", folder),
        unless=("sh", "-c", 'v=$0/current/VERSION; [ ! -e "$v" ] || [ "$(stat -c %U "$v")" = hdfs ]', folder),
    )


def _files(nodes: Nodes, node: Node) -> Iterator[Step]:
    jobs = "resourcemanager" in nodes.manager.daemons
    for file in SITES if jobs else SITES[:2]:
        yield File(path=f"{CONF}/{file}", content=site(file, nodes, node))
    if node is nodes.manager:
        yield File(path=MEMBERS, content=members(nodes))
        # Whoever was on its way out and stays after all, does; whoever left is no member.
        yield File(path=LEAVING, content="")
    for daemon in node.daemons:
        yield File(path=f"/etc/systemd/system/{unit_name(daemon)}.service", content=unit(node, daemon))


def _daemons(node: Node, *names: str) -> Iterator[Step]:
    for daemon in names:
        if daemon in node.daemons:
            yield running(daemon)
            yield _answers(node, daemon)


def running(daemon: str) -> Unit:
    """The daemon, with the configuration and the version of now."""
    files = ("core-site.xml", DAEMONS[daemon][2])
    return Unit(
        name=unit_name(daemon),
        restart_on=(catalogue.MARK, *(f"{CONF}/{file}" for file in files)),
        timeout=STARTS,
    )


def _answers(node: Node, daemon: str) -> Step:
    port = refusals.LISTENS[daemon][-1]
    return Wait(port=port, host=node.address, unit=f"{unit_name(daemon)}.service", deadline=STARTS)


def _namenode(cluster: Cluster, nodes: Nodes) -> Iterator[Step]:
    yield Command(
        name="make the file system",
        argv=("sh", "-c", text("format.sh"), "format", f"{DATA}/names", FORMATTED, f"bramble-{cluster.name}"),
        creates=f"{DATA}/names/current/VERSION",
        timeout=STARTS,
    )
    yield from _daemons(nodes.manager, "namenode", "secondarynamenode")
    yield _refresh("HDFS", ("hdfs", "dfsadmin", "-refreshNodes"), "hdfs")


def _refresh(what: str, argv: tuple[str, ...], user: str) -> Step:
    return Command(
        name=f"tell {what} which hosts belong to it",
        argv=argv,
        user=user,
        when_changed=(MEMBERS, LEAVING),
        timeout=STARTS,
    )


def _first_folders(cluster: Cluster, nodes: Nodes) -> Iterator[Step]:
    writable = ("python3", "-IS", "-c", text("safemode.py"), nodes.manager.name)
    yield Command(
        name="wait until files can be written",
        argv=(*writable, str(WRITABLE)),
        unless=(*writable, "0"),
        timeout=STARTS,
    )
    people = sorted({host.user for host in cluster.hosts if host.user})
    yield Command(
        name="make the first folders",
        argv=("python3", "-IS", "-c", text("folders.py"), nodes.manager.name, LAID_OUT, *people),
        creates=LAID_OUT,
        timeout=STARTS,
    )


def _jobs(nodes: Nodes) -> Iterator[Step]:
    if "resourcemanager" in nodes.manager.daemons:
        yield from _daemons(nodes.manager, "resourcemanager", "historyserver")
        yield _refresh("YARN", ("yarn", "rmadmin", "-refreshNodes"), "yarn")


def _notes(nodes: Nodes) -> tuple[str, ...]:
    if nodes.copies > 1:
        return ()
    (only, *_), count = nodes.working, len(nodes.working)
    where = f"on {only.host} alone" if count == 1 else "on one host each"
    return (f"files lie {where}: what that host loses is lost",)
