"""What commands print that look: tables for people, JSON for programs, answers of hosts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.test_cli.support import Cli

from bramble import api
from bramble.api import FoundHost, HostCheck, Option, ServiceInfo, TrustedKey
from bramble.engine.history import PastRun, StepTime
from bramble.engine.report import Failure, HostResult, Report
from bramble.runner.facts import Facts


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def _answers(monkeypatch: pytest.MonkeyPatch, verb: str, answer: object) -> None:
    async def give(*_: object, **__: object) -> object:
        return answer

    monkeypatch.setattr(api, verb, give)


def _result(host: str, outcome: Any = "done", failure: Failure | None = None, seconds: float = 1.0) -> HostResult:
    return HostResult(host=host, outcome=outcome, failure=failure, changed=2, unchanged=3, seconds=seconds)


def _said(host: str, status: int = 0, stdout: str = "", stderr: str = "") -> Mapping[str, Any]:
    return {"host": host, "status": status, "stdout": stdout, "stderr": stderr}


def _run_report(*answers: Mapping[str, Any], out: tuple[str, ...] = ()) -> Report:
    gone = Failure(error="Unreachable", what="no answer within 3 s", hint="is it on?")
    failed = Failure(error="StepFailed", what="the command ended with status 2", why="no such file")
    hosts = {a["host"]: _result(a["host"], *(("failed", failed) if a["status"] else ())) for a in answers}
    hosts |= {host: _result(host, "failed", gone) for host in out}
    return Report(run="r", verb="run", hosts=hosts, data={"answers": list(answers)})


def test_equal_answers_share_a_heading(cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    answers = [_said("red", stdout="up\n"), _said("red01", stdout="up\n"), _said("red02", 2, "half", "no such file\n")]
    _answers(monkeypatch, "command", _run_report(*answers, out=("red03",)))
    ended = cli("run", "--hosts", "red,red[01-03]", "--", "uptime")
    assert ended.code == 1
    assert ended.whole == snapshot


def test_one_host_alone_needs_no_heading(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "command", _run_report(_said("red", stdout="a\nb\n", stderr="c")))
    ended = cli("run", "--hosts", "red", "--", "x")
    assert (ended.code, ended.out, ended.err) == (0, "a\nb\n", "c\n")


def test_a_command_keeps_its_own_options(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, ...]] = []

    async def command(argv: tuple[str, ...], **_: object) -> Report:
        given.append(argv)
        return _run_report(_said("red"))

    monkeypatch.setattr(api, "command", command)
    cli("run", "--hosts", "red", "--", "ls", "--help", "-v")
    cli("run", "--hosts", "red", "ls", "--json")
    assert given == [("ls", "--help", "-v"), ("ls", "--json")]


STATES = [
    {"host": "red", "service": "slurm", "state": "in order", "since": 1714565594.0, "run": "20240501-121314-ab12"},
    {"host": "red01", "service": "slurm", "state": "differs", "since": 1714565594.0, "run": "20240501-121314-ab12"},
    {"host": "red02", "service": "slurm", "state": "differs", "since": 1714565595.0, "run": "20240501-121314-ab12"},
    {"host": "red03", "service": "slurm", "state": "not known", "since": 0.0, "run": ""},
]


def test_status(cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    differs = {"red01": ["Unit slurmd.service: start"], "red02": ["Unit slurmd.service: start", "File /a: content"]}
    states = [{**state, "differences": differs.get(str(state["host"]), [])} for state in STATES]
    gone = Failure(error="Unreachable", what="no answer within 3 s")
    hosts = {"red": _result("red"), "red03": _result("red03", "failed", gone)}
    _answers(
        monkeypatch, "status", Report(run="r", verb="status", cluster="red", hosts=hosts, data={"services": states})
    )
    ended = cli("status")
    assert ended.code == 1
    assert ended.whole == snapshot


def test_status_where_nothing_is(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(
        monkeypatch, "status", Report(run="r", verb="status", hosts={"red": _result("red")}, data={"services": []})
    )
    ended = cli("status")
    assert (ended.code, ended.out) == (0, "nothing is deployed here yet: bramble deploy SERVICE\n")


SLURM = ServiceInfo(
    name="slurm",
    summary="a batch system",
    needs=("munge",),
    options=(
        Option(name="accounting", type="bool", default=False, description="Keep a record of all jobs."),
        Option(name="max_time", type="str", default="infinite", description="The longest a job may take."),
        Option(name="name", type="str", default=None, description="Of the cluster."),
    ),
)


@pytest.mark.parametrize("words", [("services",), ("services", "slurm"), ("services", "slurm", "--json")], ids=" ".join)
def test_services(
    words: tuple[str, ...], cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    _answers(monkeypatch, "services", (SLURM,))
    assert cli(*words).whole == snapshot


def _past(hosts: int = 2, **fields: Any) -> PastRun:
    names = ["red", *(f"red{number:02}" for number in range(1, hosts))]
    steps = tuple(
        StepTime(host=host, group=group, step=step, outcome=outcome, summary="", seconds=seconds * (1 + number))
        for group, step, outcome, seconds in (
            ("Packages", "Package munge, Package slurmd", "changed", 3.1),
            ("Configuration", "File /etc/slurm/slurm.conf", "unchanged", 0.004),
            ("Jobs", "one job on all nodes", "passed", 0.2),
        )
        for number, host in enumerate(names)
        if host == "red" or group != "Jobs"
    )
    report = Report(run="r", verb="deploy", hosts={name: _result(name) for name in names}, verified=True)
    given: dict[str, Any] = {"state": "done", "seconds": 12.3, "exit_code": 0, "report": report.to_json(), **fields}
    return PastRun(
        id="20240501-121314-ab12", verb="deploy", service="slurm", cluster="red",
        command="bramble deploy slurm --hosts 'red,red[01-02]'", started=1714565594.0, steps=steps, **given,
    )  # fmt: skip


def test_runs(cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    cut = _past(state="cut off", seconds=None, exit_code=None, report=None)
    dry = _past(report={**(_past().report or {}), "dry": True})
    _answers(monkeypatch, "runs", (_past(), dry, cut))
    ended = cli("runs")
    assert ended.whole == snapshot
    assert cli("runs", "list").out == ended.out
    assert [json.loads(line)["state"] for line in cli("runs", "--json").out.splitlines()] == ["done", "done", "cut off"]


@pytest.mark.parametrize("hosts", [2, 20])
def test_one_run(hosts: int, cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    _answers(monkeypatch, "run_of", _past(hosts))
    assert cli("runs", "show", "2024").whole == snapshot


def test_hosts_check(cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    facts = Facts(
        hostname="red", os="debian", release="12", codename="bookworm", model="", architecture="arm64", cpus=4,
        memory=3 * 2**30, memory_total=4 * 2**30, disk_free=300 * 2**20, disk_total=2**34, read_only=False,
        python="3.11.2", kernel="6.6", cgroup=2, controllers=(), swap=0, clock=0.0, boot_id="", uptime=1.0,
        systemd=True, skew=-0.01,
    )  # fmt: skip
    found = (
        HostCheck(host="red", reachable=True, key="known", sudo="yes", facts=facts),
        HostCheck(host="red01", reachable=False, problems=("no answer within 3 s (is it on?)",)),
    )
    _answers(monkeypatch, "hosts_check", found)
    ended = cli("hosts", "check")
    assert ended.code == 1
    assert ended.whole == snapshot
    _answers(monkeypatch, "hosts_check", found[:1])
    assert cli("hosts", "check").code == 0
    assert json.loads(cli("hosts", "check", "--json").out)["facts"]["codename"] == "bookworm"


def test_hosts_of_cluster_files(cli: Cli, snapshot: SnapshotAssertion) -> None:
    assert cli("hosts", "list").out == "there is no cluster yet: bramble hosts add EXPR --cluster NAME\n"
    assert "red: red,red[01-02]  (" in cli("hosts", "add", "red,red[01-02]", "--cluster", "red").out
    assert "red: red,red01  (" in cli("hosts", "remove", "red02").out
    assert cli("hosts", "list").out.splitlines()[1].split()[:3] == ["red", "red,red01", "red"]
    assert json.loads(cli("hosts", "list", "--json").out)["hosts"] == "red,red01"


def test_hosts_expand(cli: Cli) -> None:
    assert cli("hosts", "expand", "red,red[01-red02]").out == "red\nred01\nred02\n"
    assert cli("hosts", "expand", "red,red01,red02", "--fold").out == "red,red[01-02]\n"
    assert json.loads(cli("hosts", "expand", "red01", "--json").out) == {"hosts": ["red01"], "folded": "red01"}


def test_hosts_expand_knows_groups(cli: Cli) -> None:
    cli("hosts", "add", "red,red[01-02]", "--cluster", "red")
    assert cli("hosts", "expand", "@workers").out == "red01\nred02\n"
    cli("hosts", "add", "blue,blue01", "--cluster", "blue")
    assert cli("hosts", "expand", "@workers", "--cluster", "blue").out == "blue01\n"
    assert "there is no group @workers" in cli("hosts", "expand", "@workers").err
    assert "did you mean 'blue'" in cli("hosts", "expand", "@all", "--cluster", "bleu").err


def test_hosts_find_and_trust(cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    pi = FoundHost(name="red", address="10.1.1.1", mac="d8:3a:dd:00:00:01", raspberry=True, sources=("mdns",))
    _answers(monkeypatch, "hosts_find", (pi,))
    key = TrustedKey(host="red", kind="ssh-ed25519", fingerprint="SHA256:abc", state="added")
    _answers(monkeypatch, "hosts_trust", (key,))
    assert cli("hosts", "find").whole + cli("hosts", "trust", "--hosts", "red").whole == snapshot


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (Report(run="r", verb="deploy", service="slurm", dry=True), "dry run: nothing would change (0.0 s)"),
        (
            Report(run="r", verb="deploy", service="slurm", verified=True),
            "nothing to change: slurm is in place on red,red01 and does its work (0.0 s)",
        ),
        (
            Report(run="r", verb="deploy", service="slurm"),
            "nothing to change: slurm is in place on red,red01 (not verified) (0.0 s)",
        ),
        (Report(run="r", verb="remove", service="slurm", seconds=125.4), "nothing to remove (2 min 05 s)"),
        (
            Report(run="r", verb="verify", service="slurm", seconds=59.96),
            "slurm does its work on red,red01 (1 min 00 s)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_closing_sentences(report: Report, sentence: str) -> None:
    from bramble.cli.summary import verdict

    hosts = [{"host": host, "outcome": "done"} for host in ("red", "red01")]
    assert verdict({**report.to_json(), "hosts": hosts}) == (sentence, "")
