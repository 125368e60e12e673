"""Whether Hadoop does its work on every host that it should: files that come back, and jobs whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import catalogue
from .config import Config
from .configuration import DAEMONS, unit_name
from .nodes import Node, Nodes, describe
from .text import script, text

#: Whom files and jobs belong to: the one plain user that every host has, so that what it may do, everybody may.
USER = "nobody"

#: Where it puts them; gone afterwards.
FOLDER = "/tmp/bramble-verify"  # noqa: S108

#: Seconds a job may take: it waits for others.
PATIENCE = 300.0


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Daemons by name, a file that each host reads, and a job that each host does a part of."""
    nodes = describe(cluster, config, facts)
    manager = [cluster.manager]
    return Plan(
        service="hadoop",
        groups=tuple(
            part
            for part in (
                group("Daemons", nodes.hosts, lambda host: (_runs(nodes.of(host)),)),
                group("Hosts", manager, *_hosts(nodes, jobs=config.yarn), after=["Daemons"]),
                group("File", manager, work(nodes, "a file is written", "put.py", (), "written"), after=["Hosts"]),
                group(
                    "Copies", nodes.hosts, lambda host: _copies(nodes, nodes.of(host)), after=["File"], requires=manager
                ),
                group(
                    "Job",
                    manager if config.yarn else (),
                    _job(nodes),
                    after=["Copies"],
                    requires=nodes.working_hosts,
                    timeout=3 * PATIENCE,
                ),
                group("State", manager, _healthy(nodes), work(nodes, "nothing is left of it", "clean.py", (), "gone")),
            )
            if part.steps
        ),
    )


def _runs(node: Node) -> Probe:
    names = tuple(unit_name(daemon) for daemon in node.daemons)
    return Probe(
        name="its daemons run",
        argv=("systemctl", "is-active", *names),
        expect_lines=("active",) * len(names),
        expect_status=None,
        log_units=names,
        hint=f"systemctl status {' '.join(names)}",
    )


def _hosts(nodes: Nodes, *, jobs: bool) -> Iterable[Probe]:
    """Whether the daemons that command hear of each that should obey: one that runs may still not be heard of."""
    for kind, what, daemon in (("files", "keeps files", "datanode"), ("tasks", "takes tasks", "nodemanager")):
        if kind == "tasks" and not jobs:
            continue
        yield Probe(
            name=f"each host {what}",
            argv=("python3", "-IS", "-c", text("probes/hosts.py"), kind, nodes.manager.name),
            input=json.dumps([node.name for node in nodes.working]),
            expect_lines=tuple(node.name for node in nodes.working),
            blame={node.name: f"{node.host} {what.replace('s ', ' no ', 1)}" for node in nodes.working},
            log_units=(unit_name("namenode" if kind == "files" else "resourcemanager"),),
            hint=f"on that host: journalctl -u {unit_name(daemon)}; {DAEMONS[daemon][0]} "
            + ("dfsadmin -report" if kind == "files" else "node -list -all"),
            timeout=120,
        )


def _copies(nodes: Nodes, node: Node) -> Iterable[Probe]:
    if node.works:
        yield work(nodes, "it writes a text of its own", "text.py", (node.name,), "written")
    yield work(nodes, "each host reads the file", "read.py", (), "as it was written")


def _job(nodes: Nodes) -> Probe:
    names = [node.name for node in nodes.working]
    done = "each word was counted"
    blame = {node.name: f"{node.host} did no task" for node in nodes.working}
    return work(nodes, "a word count", "words.py", (catalogue.EXAMPLES, *names), done, *names, blame=blame)


def _healthy(nodes: Nodes) -> Probe:
    """What `hdfs fsck /` asks, without a start of Java."""
    return Probe(
        name="no file lacks a part",
        argv=("python3", "-IS", "-c", text("probes/fsck.py"), nodes.manager.name),
        expect_match="is HEALTHY$",
        timeout=PATIENCE,
        log_units=(unit_name("namenode"),),
        hint="which ones: sudo -u hdfs hdfs fsck / -list-corruptfileblocks",
    )


def work(
    nodes: Nodes,
    name: str,
    program: str,
    words: tuple[str, ...],
    *lines: str,
    folder: str = FOLDER,
    blame: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
) -> Probe:
    """Real work of a plain user's, which ends with these lines when it came out right."""
    return Probe(
        name=name,
        argv=(*script(f"probes/{program}"), nodes.manager.name, folder, *words),
        expect_lines=lines,
        blame=blame or {},
        user=USER,
        timeout=timeout,
        hint="sudo -u hdfs hdfs dfsadmin -report; yarn node -list -all; journalctl -u 'hadoop-*' --since -5min",
    )
