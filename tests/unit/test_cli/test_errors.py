"""What a mistake gets: one `error:` line, a hint that helps, the right exit code, never a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.test_cli.support import Cli

from bramble import api
from bramble.errors import (
    BrambleError,
    ClusterFileError,
    HostExpressionError,
    Interrupted,
    PlanError,
    Unreachable,
    VerificationFailed,
)

MISTAKES = [
    "deply slurm",
    "lab kil red01",
    "nonsense",
    "deploy",
    "deploy slurm --dryrun",
    "deploy slurm --frobnicate",
    "deploy slurm --port 99999",
    "deploy slurm --port many",
    "deploy slurm --set partitions",
    "deploy slurm --hosts",
    "deploy slrum --hosts red",
    "deploy slurm java --set a=b",
    "deploy slurm --hosts red,red[01-",
    "deploy slurm --cluster nowhere",
    "deploy slurm",
    "scale slurm --cluster red --cluster blue --add red03",
    "run --hosts red",
    "runs show nothing",
    "services slrum",
    "completion tcsh",
    "hosts expand red[01-99999999]",
    "remove slurm --hosts red --purge",
]


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_of_the_user(words: str, cli: Cli, snapshot: SnapshotAssertion) -> None:
    ended = cli(*words.split())
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    assert ended.whole == snapshot


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("nobody answers", host="red01", why="connection refused", hint="is sshd running there?"),
        PlanError("the hosts cannot talk to each other", hint="give them one release"),
        VerificationFailed("slurm does not do its work"),
        Interrupted("interrupted; every host stopped between two steps", hint="bramble deploy slurm"),
        HostExpressionError("this bracket is never closed", expression="red[01", position=3, hint="close it"),
        ClusterFileError("not a number", file="red.yaml", line=3, key="port"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_ours(
    error: BrambleError, cli: Cli, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(api, "hosts_list", fail)
    ended = cli("hosts", "list")
    assert ended.code == error.exit_code
    assert ended.whole == snapshot


def test_a_bug_is_one_line_and_says_how_to_see_more(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("red01")

    monkeypatch.setattr(api, "hosts_list", fail)
    ended = cli("hosts", "list")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert ended.err.startswith("error: this is a mistake in bramble, not yours: KeyError: 'red01' (test_errors.py:")
    assert "hint: see where it comes from, and report it: bramble hosts list --debug\n" in ended.err
    shown = cli("hosts", "list", "--debug")
    assert shown.code == 1
    assert "Traceback (most recent call last)" in shown.err


def test_errors_of_several_clusters_are_all_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        first, second = PlanError("red cannot"), Interrupted("blue was stopped")
        raise BaseExceptionGroup("some clusters", [first, BaseExceptionGroup("more", [second])])

    monkeypatch.setattr(api, "hosts_list", fail)
    ended = cli("hosts", "list")
    assert (ended.code, ended.err) == (130, "error: red cannot\nerror: blue was stopped\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt, EOFError])
def test_ctrl_c_before_anything_began(error: type[BaseException], cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise error

    monkeypatch.setattr(api, "hosts_list", stop)
    ended = cli("hosts", "list")
    assert (ended.code, ended.err.strip()) == (130, "error: interrupted; nothing was changed")


def test_colour_only_where_it_is_wanted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in cli("nonsense").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m\x1b[1merror:\x1b[0m" in cli("nonsense").err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cli("nonsense").err


def test_a_reader_that_stops_ends_it_quietly() -> None:
    program = [sys.executable, "-m", "bramble", "hosts", "expand", "red[0001-9999]"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"red0001\n"
        running.stdout.close()
        assert running.wait(30) == 141
        assert running.stderr.read() == b""
