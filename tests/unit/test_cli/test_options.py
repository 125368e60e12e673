"""The shared options: what they turn into when the API is called, and where a password may come from."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.test_cli.support import Cli

from bramble import api
from bramble.cli import options, terminal
from bramble.engine.report import HostResult, Report

Calls = list[tuple[str, dict[str, Any]]]


def _report(verb: str) -> Report:
    data: dict[str, Any] = {"services": [], "answers": []}
    return Report(run="r", verb=verb, hosts={"red": HostResult(host="red", outcome="done")}, data=data, verified=True)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every call of a verb: its name and what it was given, without the listener."""
    found: Calls = []

    def fake(name: str) -> None:
        async def verb(*words: object, **given: Any) -> Report:
            assert callable(given.pop("on_event"))
            found.append((name, {"words": words, **given}))
            return _report(name)

        monkeypatch.setattr(api, name, verb)

    for name in ("deploy", "verify", "scale", "remove", "status", "command"):
        fake(name)
    return found


def test_only_what_was_given_goes_to_the_api(cli: Cli, calls: Calls) -> None:
    assert cli("deploy", "slurm").code == 0
    assert calls == [("deploy", {"words": ("slurm",), "options": {}, "dry_run": False, "verify": True})]


def test_every_option_goes_to_the_api(cli: Cli, calls: Calls, tmp_path: Path) -> None:
    words = (
        "deploy slurm --hosts red,red[01-02] --manager red01 --user pi --port 2222 --key k --jump gate --accept-new"
        " --connect-timeout 3 --connections 4 --dry-run --no-verify --set a=1 --set b=x=y"
    )
    assert cli(*words.split()).code == 0
    [(_, given)] = calls
    assert given == {
        "words": ("slurm",),
        "options": {"a": "1", "b": "x=y"},
        "dry_run": True,
        "verify": False,
        "hosts": "red,red[01-02]",
        "manager": "red01",
        "user": "pi",
        "port": 2222,
        "key": "k",
        "jump": "gate",
        "accept_new": True,
        "connect_timeout": 3.0,
        "connections": 4,
    }


def test_services_go_one_after_the_other_until_one_fails(
    cli: Cli, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("deploy", "java", "slurm")
    assert [given["words"] for _, given in calls] == [("java",), ("slurm",)]

    async def fails(service: str, **given: Any) -> Report:
        calls.append(("deploy", {"words": (service,)}))
        hosts = {"red": HostResult(host="red", outcome="failed")}
        return Report(run="r", verb="deploy", service=service, hosts=hosts)

    calls.clear()
    monkeypatch.setattr(api, "deploy", fails)
    assert cli("deploy", "java", "slurm").code == 1
    assert [given["words"] for _, given in calls] == [("java",)]


@pytest.mark.parametrize("words", [("--cluster", "red", "--cluster", "blue"), ("--cluster", "red,blue")])
def test_several_clusters(words: tuple[str, ...], cli: Cli, calls: Calls) -> None:
    for name in ("red", "blue"):
        assert cli("hosts", "add", name, "--cluster", name).code == 0
    assert cli("verify", "slurm", *words).code == 0
    assert [given["cluster"] for _, given in calls] == ["red", "blue"]


def test_a_wrong_name_among_several_clusters_stops_all(cli: Cli, calls: Calls) -> None:
    assert cli("hosts", "add", "red", "--cluster", "red").code == 0
    ended = cli("deploy", "slurm", "--cluster", "red", "--cluster", "blu")
    assert ended.code == 2
    assert "'blu'" in ended.err
    assert calls == []


def test_hosts_from_standard_input(cli: Cli, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("red # the manager\nred01,red02\n"))
    cli("status", "--hosts", "-")
    assert calls[0][1]["hosts"] == "red,red[01-02]"


# The sudo password


def _password(calls: Calls) -> bytes | None:
    secret = calls[-1][1].get("sudo_password")
    return None if secret is None else secret.reveal()


def test_no_password_where_none_was_given(cli: Cli, calls: Calls) -> None:
    cli("status")
    assert _password(calls) is None


def test_password_from_the_environment_is_taken_out_of_it(
    cli: Cli, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(options.PASSWORD, "raspberry")
    cli("status")
    assert _password(calls) == b"raspberry"
    assert options.PASSWORD not in os.environ
    assert "raspberry" not in repr(calls)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o644, True)])
def test_password_from_a_file(mode: int, warned: bool, cli: Cli, calls: Calls, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("rasp berry\n")
    file.chmod(mode)
    ended = cli("status", "--sudo-password-file", str(file))
    assert _password(calls) == b"rasp berry"
    assert ("others can read" in ended.err) is warned
    assert "rasp berry" not in ended.err


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n", None])
def test_a_password_file_that_holds_no_password(content: str | None, cli: Cli, calls: Calls, tmp_path: Path) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content)
    ended = cli("status", "--sudo-password-file", str(file))
    assert ended.code == 2
    assert str(file) in ended.err
    assert calls == []


def test_password_that_is_asked_for(cli: Cli, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "raspberry"

    monkeypatch.setattr("getpass.getpass", ask)
    monkeypatch.setattr("bramble.cli.typed._has_terminal", lambda: True)
    for name in ("red", "blue"):
        cli("hosts", "add", name, "--cluster", name)
    cli("status", "--cluster", "red", "--cluster", "blue", "--ask-sudo-password")
    assert asked == ["sudo password on the hosts: "], "once, not once for each cluster"
    assert _password(calls) == b"raspberry"


def test_no_terminal_to_ask_on(cli: Cli, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.cli.typed._has_terminal", lambda: False)
    ended = cli("status", "--ask-sudo-password")
    assert ended.code == 2
    assert options.PASSWORD in ended.err
    assert calls == []


def test_the_password_cannot_stand_on_the_command_line(cli: Cli, calls: Calls) -> None:
    for words in (("--ask-sudo-password=raspberry",), ("--sudo-password", "raspberry")):
        ended = cli("status", *words)
        assert ended.code == 2
        assert calls == []


# Questions


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at a terminal who gives these answers; what is asked is noted."""
    answers: list[str] = []
    monkeypatch.setattr(terminal, "interactive", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def read(prompt: str = "") -> str:
        sys.stderr.write(prompt)
        return answers.pop(0)

    monkeypatch.setattr("click.termui.visible_prompt_func", read)
    return answers


REMOVE = ("remove", "slurm", "--hosts", "red,red[01-02]")
DROP = ("scale", "slurm", "--drop", "red02")


@pytest.mark.parametrize("words", [REMOVE, DROP])
def test_a_no_changes_nothing(words: Sequence[str], person: list[str], cli: Cli, calls: Calls) -> None:
    person.append("n")
    ended = cli(*words)
    assert (ended.code, calls) == (130, [])
    assert "not confirmed; nothing was changed" in ended.err


def test_the_question_names_the_hosts(person: list[str], cli: Cli, calls: Calls) -> None:
    person.append("y")
    ended = cli(*REMOVE)
    assert ended.code == 0
    assert "Remove slurm from red,red[01-02]? This ends jobs that run or wait. Its data stay." in ended.err
    assert [name for name, _ in calls] == ["remove"]


@pytest.mark.parametrize("words", [(*REMOVE, "--yes"), (*REMOVE, "--dry-run"), (*DROP, "--yes"), (*DROP, "--dry-run")])
def test_nobody_is_asked(words: Sequence[str], person: list[str], cli: Cli, calls: Calls) -> None:
    assert cli(*words).code == 0
    assert len(calls) == 1


@pytest.mark.parametrize("words", [REMOVE, DROP, (*REMOVE, "--purge", "--yes")])
def test_without_a_terminal_it_goes_on(words: Sequence[str], cli: Cli, calls: Calls) -> None:
    assert cli(*words).code == 0
    assert len(calls) == 1


def test_data_are_not_lost_without_a_word(cli: Cli, calls: Calls) -> None:
    assert cli(*REMOVE, "--purge").code == 2
    assert calls == []
