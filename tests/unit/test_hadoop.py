"""The Hadoop room's plans, what it refuses, and its commands."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.board import PI

from bramble import services
from bramble.artifact import MavenTree
from bramble.errors import PlanError
from bramble.model import Cluster, Host
from bramble.plan import Plan
from bramble.runner.facts import Facts
from bramble.runner.steps import Command, File, Line, Unit
from bramble.services.hadoop import SERVICE, catalogue
from bramble.services.hadoop.config import Config
from bramble.services.hadoop.nodes import describe
from bramble.services.hadoop.text import text

NAMES = ("red", "red01", "red02")
GIB = 2**30


def cluster(*names: str) -> Cluster:
    return Cluster(name="red", hosts=tuple(Host(name=name, user="pi") for name in names or NAMES), manager="red")


def facts(*names: str, **changes: Any) -> dict[str, Facts]:
    return {
        name: dataclasses.replace(PI, hostname=name, address=f"10.1.1.{number}", **changes)
        for number, name in enumerate(names or NAMES, 1)
    }


def planned(*names: str, known: dict[str, Facts] | None = None, **options: Any) -> Plan:
    return SERVICE.plan(cluster(*names), services.configure(SERVICE, options), known or facts(*names))


def steps(plan: Plan, host: str, kind: type) -> list[Any]:
    return [step for part in plan.of(host) for step in part.steps[host] if isinstance(step, kind)]


def daemons(plan: Plan, host: str) -> list[str]:
    return [step.name.removeprefix("hadoop-") for step in steps(plan, host, Unit)]


def settings(plan: Plan, host: str, file: str) -> dict[str, str]:
    (found,) = (step for step in steps(plan, host, File) if step.path == f"/etc/hadoop/{file}")
    properties = ElementTree.fromstring(found.content)
    return {one.findtext("name", ""): one.findtext("value", "") for one in properties}


def test_plans_are_as_they_were(snapshot: SnapshotAssertion) -> None:
    config = services.configure(SERVICE, {})
    assert SERVICE.leave and SERVICE.deep and SERVICE.upgrade
    made = {
        "plan": SERVICE.plan(cluster(), config, facts()),
        "verify": SERVICE.verify(cluster(), config, facts()),
        "deep": SERVICE.deep(cluster(), config, facts()),
        "leave": SERVICE.leave(cluster(), config, facts(), ("red02",)),
        "upgrade": SERVICE.upgrade(cluster(), config, facts(), "3.4.2"),
    }
    assert json.dumps({name: plan.to_json() for name, plan in made.items()}, indent=1, ensure_ascii=False) == snapshot


COMMANDING = ["namenode", "secondarynamenode", "resourcemanager", "historyserver"]


@pytest.mark.parametrize(
    ("names", "options", "on_manager", "on_others"),
    [
        (NAMES, {}, COMMANDING, ["datanode", "nodemanager"]),
        (NAMES, {"yarn": False}, ["namenode", "secondarynamenode"], ["datanode"]),
        (("red",), {}, [*COMMANDING, "datanode", "nodemanager"], []),
        (NAMES, {"manager_works": True}, [*COMMANDING, "datanode", "nodemanager"], ["datanode", "nodemanager"]),
    ],
)
def test_who_runs_what(
    names: tuple[str, ...], options: dict[str, Any], on_manager: list[str], on_others: list[str]
) -> None:
    plan = planned(*names, **options)
    assert sorted(daemons(plan, "red")) == sorted(on_manager)
    assert all(daemons(plan, host) == on_others for host in names[1:])


@pytest.mark.parametrize(
    ("hosts", "asked", "copies"), [(2, None, "1"), (3, None, "2"), (6, None, "3"), (6, 5, "5"), (3, 9, "2")]
)
def test_a_file_lies_on_as_many_hosts_as_there_are_up_to_three(hosts: int, asked: int | None, copies: str) -> None:
    names = ("red", *(f"red{number:02}" for number in range(1, hosts)))
    options: dict[str, Any] = {"replication": asked} if asked else {}
    plan = planned(*names, **options)
    assert settings(plan, "red01", "hdfs-site.xml")["dfs.replication"] == copies


@pytest.mark.parametrize("size", [2, 4, 8])
def test_daemons_and_tasks_fit_into_memory(size: int) -> None:
    nodes = describe(cluster(), Config(), facts(memory=int(size * 0.92 * GIB)))
    for node in nodes.all:
        assert node.resident + node.containers + 384 <= node.memory
    assert all(node.containers >= 768 and node.containers % 256 == 0 for node in nodes.working)
    if size == 8:
        assert nodes.task == 512 and nodes.manager.heap("namenode") == 512


def test_the_file_system_is_made_once_and_never_again(tmp_path: Path) -> None:
    (make,) = (step for step in steps(planned(), "red", Command) if step.name == "make the file system")
    assert make.creates == "/var/lib/hadoop/names/current/VERSION"

    # Without its names, but with the mark that they were there, it is refused: the hosts still keep the contents.
    tool = tmp_path / "runuser"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/log\nmkdir -p {tmp_path}/names/current\n')
    tool.chmod(0o755)

    def run() -> subprocess.CompletedProcess[str]:
        words = ["sh", "-c", text("format.sh"), "format", f"{tmp_path}/names", f"{tmp_path}/formatted", "bramble-red"]
        environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(words, env=environment, capture_output=True, text=True)

    assert run().returncode == 0
    assert "namenode -format -nonInteractive -clusterId bramble-red" in (tmp_path / "log").read_text()
    again = run()
    assert again.returncode == 1 and "would lose" in again.stderr and "hint: " in again.stderr
    assert len((tmp_path / "log").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "goes"),
    [
        ("127.0.1.1\tred01", True),
        ("127.0.1.1 red01.local red01", True),
        ("127.0.1.1 red01 # by the imager", True),
        ("127.0.0.1 localhost", False),
        ("127.0.0.1 localhost red01", False),
        ("127.0.1.1 red011", False),
        ("10.1.1.2\tred01", False),
        ("# 127.0.1.1 red01", False),
    ],
)
def test_its_own_name_does_not_lead_to_itself_alone(line: str, goes: bool) -> None:
    lines = steps(planned(), "red01", Line)
    (own,) = (step for step in lines if step.absent)
    assert bool(re.search(own.match, line)) == goes
    assert [step.line for step in lines if not step.absent] == ["10.1.1.1\tred", "10.1.1.2\tred01", "10.1.1.3\tred02"]


@pytest.mark.parametrize(
    ("host", "changes", "options", "what"),
    [
        ("red01", {"memory": GIB}, {}, "red01 .* too little memory"),
        ("red", {"memory": 0.9 * GIB}, {}, "red .* too little memory"),
        ("red01", {"paths": ("/opt/hadoop",)}, {}, r"red01 \(/opt/hadoop\): there is a Hadoop already"),
        ("red02", {"ports": {"9866": "python3 (pid 8)"}}, {}, r"9866 \(for the datanode\) is taken by python3"),
        ("red02", {"hostname": "red01"}, {}, "one name"),
        ("red02", {"hostname": "localhost"}, {}, "its name"),
        ("red02", {"disk_free": 10**8}, {}, "red02 .* too little free disk"),
        ("red02", {"address": ""}, {}, "red02: it has no address"),
        ("red", {"paths": (catalogue.HOME, "/var/lib/hadoop/data/current")}, {}, "red .*: it keeps parts of files"),
        ("red", {"memory": 1.8 * GIB}, {"manager_works": True}, "red .* too little memory"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    host: str, changes: dict[str, Any], options: dict[str, object], what: str
) -> None:
    known = facts()
    if "memory" in changes:
        changes = {"memory": int(changes["memory"])}
    known[host] = dataclasses.replace(known[host], **changes)
    with pytest.raises(PlanError, match=what) as refused:
        planned(known=known, **options)
    assert refused.value.hint


def test_a_small_host_can_keep_files_where_nobody_wants_jobs() -> None:
    known = facts()
    known["red01"] = dataclasses.replace(known["red01"], memory=int(0.9 * GIB))
    assert daemons(planned(known=known, yarn=False), "red01") == ["datanode"]


def test_what_bramble_made_is_no_hadoop_of_somebody_else_s() -> None:
    known = facts(paths=(catalogue.HOME, "/etc/hadoop"), ports={"9866": "java (pid 8)"}, disk_free=10**8)
    assert daemons(planned(known=known), "red01") == ["datanode", "nodemanager"]


def test_the_last_host_that_keeps_files_does_not_leave() -> None:
    assert SERVICE.leave
    with pytest.raises(PlanError, match="no host that keeps files"):
        SERVICE.leave(cluster(), services.configure(SERVICE, {}), facts(), ("red01", "red02"))


@pytest.mark.parametrize("version", SERVICE.versions)
def test_a_version_is_fetched_as_it_is_called(version: str) -> None:
    source = catalogue.tree(version).source
    assert isinstance(source, MavenTree)
    assert f"<hadoop.version>{version}</hadoop.version>" in source.pom
    assert f"hadoop-common-{version}.jar" in source.hashes


def test_hosts_take_a_later_version_one_after_the_other() -> None:
    assert SERVICE.upgrade
    plan = SERVICE.upgrade(cluster(), services.configure(SERVICE, {"manager_works": True}), facts(), "3.4.2")
    titles = [part.title for part in plan.groups]
    assert titles == ["Programs", "Begin", "Upgrade red", "Upgrade red01", "Upgrade red02", "End"]
    for before, part in zip(titles[1:], plan.groups[2:], strict=False):
        assert part.after == (before,) and set(part.requires) == set(NAMES)
    assert len(steps(plan, "red", Unit)) == 6


def _launched(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of ours, with a Java that says what it was asked."""
    home = tmp_path / "tree"
    if not home.exists():
        (home / "bin").mkdir(parents=True)
        (tmp_path / "java" / "bin").mkdir(parents=True)
        java = tmp_path / "java" / "bin" / "java"
        java.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
        java.chmod(0o755)
        for name in catalogue.COMMANDS:
            (home / "bin" / name).write_text(text("launch.sh"))
            (home / "bin" / name).chmod(0o755)
            (tmp_path / name).symlink_to(home / "bin" / name)
    given = {"PATH": os.environ["PATH"], "JAVA_HOME": str(tmp_path / "java"), **environment}
    return subprocess.run([str(tmp_path / words[0]), *words[1:]], env=given, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("hdfs dfs -put data /", "fs.FsShell -put data /"),
        ("hadoop fs -ls", "fs.FsShell -ls"),
        ("hdfs namenode", "hdfs.server.namenode.NameNode"),
        ("yarn application -list", "yarn.client.cli.ApplicationCLI application -list"),
        ("yarn app -list", "yarn.client.cli.ApplicationCLI application -list"),
        ("yarn jar x.jar pi", "util.RunJar x.jar pi"),
        ("mapred job -list", "mapred.JobClient -list"),
        ("hadoop version", "util.VersionInfo"),
        ("hadoop org.apache.hadoop.fs.TestDFSIO -write", "fs.TestDFSIO -write"),
    ],
)
def test_commands_find_their_classes(tmp_path: Path, words: str, end: str) -> None:
    said = _launched(tmp_path, *words.split()).stdout.splitlines()
    place = said.index("-classpath")
    assert said[place + 1].startswith(f"/etc/hadoop:{tmp_path}/tree/etc:{tmp_path}/tree/lib/*:")
    assert " ".join(said[place + 2 :]) == f"org.apache.hadoop.{end}"
    assert "-Xmx256m" in said


def test_commands_take_what_people_are_used_to_set(tmp_path: Path) -> None:
    said = _launched(tmp_path, "hdfs", "--config", "/c", "dfs", HADOOP_HEAPSIZE_MAX="1g", HADOOP_OPTS="-Da=b").stdout
    assert "-Xmx1g" in said and "-Da=b" in said and "\n/c:" in said


def test_commands_name_what_there_is(tmp_path: Path) -> None:
    wrong = _launched(tmp_path, "hdfs", "dsf", "-ls")
    assert wrong.returncode == 2 and "there is no command 'dsf'" in wrong.stderr and "dfs dfsadmin" in wrong.stderr
    assert _launched(tmp_path, "yarn").returncode == 0
    without = _launched(tmp_path, "hdfs", "dfs", JAVA_HOME="/nowhere")
    assert without.returncode == 1 and "bramble deploy java" in without.stderr
