"""What the everyday commands print, and what they ask before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.test_cli.support import Cli

from bramble import api, inventory
from bramble.engine.readings import Load, Temperature, Throttling
from bramble.engine.report import Failure, HostResult, Report

Given = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Lets a verb give an answer; what it was asked is in the list."""

    def answers(verb: str, answer: object) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        async def give(*words: object, **options: object) -> object:
            asked.append({"words": words, **options})
            return answer

        monkeypatch.setattr(api, verb, give)
        return asked

    return answers


GONE = Failure(error="Unreachable", what="no answer from port 22 of 10.1.1.3 within 10 s", hint="is it on?")


def _report(verb: str, good: tuple[str, ...], bad: tuple[str, ...] = (), **data: Any) -> Report:
    hosts = {name: HostResult(host=name, outcome="done") for name in good}
    hosts |= {name: HostResult(host=name, outcome="failed", failure=GONE) for name in bad}
    return Report(run="r", verb=verb, hosts=hosts, data=data)


LOST = "no answer within 3 s (is it on?)"
READINGS = {
    "temperature": (
        Temperature(host="red", celsius=81.2, clock=1_500_000_000),
        Temperature(host="red01", celsius=48.3),
        Temperature(host="red02"),
        Temperature(host="red03", error=LOST),
    ),
    "load": (
        Load(
            host="red", load=(5.2, 1.0, 0.5), cpus=4, memory=4 << 30, memory_used=1 << 30, disk=29 << 30,
            disk_used=28 << 30, uptime=277_500.0,
        ),
        Load(host="red01", load=(0.0, 0.0, 0.0), cpus=1, uptime=61.0),
        Load(host="red03", error=LOST),
    ),
    "throttled": (
        Throttling(host="red", now=("under-voltage", "throttled"), since_start=("under-voltage",), bits="0x10005"),
        Throttling(host="red01", now=(), since_start=(), bits="0x0"),
        Throttling(host="red02", now=(), source="hwmon"),
        Throttling(host="red03"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", READINGS)
def test_readings(verb: str, cli: Cli, given: Given, snapshot: SnapshotAssertion) -> None:
    given(verb, READINGS[verb])
    ended = cli(verb, "--hosts", "red,red[01-03]")
    assert ended.code == (0 if verb == "throttled" else 1)
    assert ended.whole == snapshot
    lines = cli(verb, "--json").out.splitlines()
    assert [json.loads(line)["host"] for line in lines] == [one.host for one in READINGS[verb]]


def test_readings_where_nobody_answers(cli: Cli, given: Given) -> None:
    given("temperature", READINGS["temperature"][-1:])
    ended = cli("temperature")
    assert (ended.code, ended.out) == (1, f"red03: {LOST}\n")


def test_watching_ends_with_a_signal(cli: Cli, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    given("temperature", READINGS["temperature"][1:2])
    ended = cli("temperature", "--watch", "5", "--json")
    assert (ended.code, slept, len(ended.out.splitlines())) == (130, [5.0, 5.0], 2)


def test_led(cli: Cli, given: Given, snapshot: SnapshotAssertion) -> None:
    lights = [
        {"host": "red", "light": "PWR", "trigger": "default-on"},
        *({"host": host, "light": "ACT", "trigger": "mmc0"} for host in ("red01", "red02")),
    ]
    asked = given("led", _report("led", ("red", "red01", "red02"), ("red03",), lights=lights))
    said = [cli("led", "red,red[01-03]", *words).whole for words in (["blink"], ["on"], ["auto"])]
    assert "".join(said) == snapshot
    assert (asked[0]["words"], asked[0]["hosts"], asked[0]["seconds"]) == (("blink",), "red,red[01-03]", 30.0)
    cli("led", "red", "red01", "off", "--light", "PWR")
    assert (asked[-1]["hosts"], asked[-1]["light"]) == ("red,red01", "PWR")


@pytest.mark.parametrize("words", [["red01"], ["red01", "flash"], ["red01", "on", "--hosts", "red"]], ids=" ".join)
def test_led_that_is_not_understood(words: list[str], cli: Cli, snapshot: SnapshotAssertion) -> None:
    ended = cli("led", *words)
    assert ended.code == 2
    assert ended.whole == snapshot


def test_reboot_and_poweroff(cli: Cli, given: Given, snapshot: SnapshotAssertion) -> None:
    restarts = [{"host": "red", "seconds": 31.4}, {"host": "red01", "seconds": 28.0}]
    asked = given("reboot", _report("reboot", ("red", "red01"), ("red02",), restarts=restarts))
    given("poweroff", _report("poweroff", ("red", "red01"), ("red02",), off=["red", "red01"]))
    given("wake", _report("wake", ("red", "red01"), ("red02",), on=["red", "red01"]))
    hosts = ("--hosts", "red,red[01-02]")
    ended = [cli("reboot", *hosts, "--yes"), cli("poweroff", *hosts, "--yes"), cli("wake", *hosts)]
    assert [one.code for one in ended] == [1, 1, 1]
    assert "".join(one.whole for one in ended) == snapshot
    assert (asked[0]["one_by_one"], asked[0]["deadline"]) == (False, 300.0)


@pytest.mark.parametrize("verb", ["reboot", "poweroff"])
def test_nothing_goes_down_unasked(verb: str, cli: Cli, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = given(verb, _report(verb, ("red",)))
    assert cli(verb, "--hosts", "red").code == 2
    questions: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        questions.append(question)
        return False

    monkeypatch.setattr("bramble.cli.terminal.interactive", lambda: True)
    monkeypatch.setattr("click.confirm", confirm)
    folder = inventory.folders.clusters()
    folder.mkdir(parents=True)
    (folder / "red.yaml").write_text('hosts: "red,red[01-02]"\nservices:\n  slurm: {}\n')
    assert cli(verb).code == 130
    assert cli(verb, "--hosts", "red02").code == 130
    assert "red,red[01-02], 3 hosts (slurm is on red,red[01-02], and red manages it" in questions[0]
    assert "red02 (slurm is on red02" in questions[1] and "manages" not in questions[1]
    assert asked == []


def test_copy_and_fetch(cli: Cli, given: Given, snapshot: SnapshotAssertion) -> None:
    def copied(host: str, changed: int, unchanged: int) -> dict[str, Any]:
        return {"host": host, "folder": "/home/pi", "changed": changed, "unchanged": unchanged, "size": 0}

    def fetched(host: str, digest: str, size: int = 717, left_out: tuple[str, ...] = ()) -> dict[str, Any]:
        return {"host": host, "folder": "", "files": 2, "size": size, "digest": digest, "left_out": left_out}

    copies = [copied("red", 3, 0), copied("red01", 1, 2), copied("red02", 0, 3), copied("red03", 3, 0)]
    hosts = ("red", "red01", "red02", "red03")
    asked = given("copy", _report("copy", hosts, ("red04",), copies=copies, left_out=["/tmp/pipe"]))
    got = [fetched("red", "a"), fetched("red01", "b", 60 << 20, ("/run/socket",)), fetched("red02", "a")]
    given("fetch", _report("fetch", hosts[:3], ("red04",), fetched=got))
    ended = [cli("copy", "notes.txt", "data", "--to", "x/", "--mode", "600"), cli("fetch", "/etc/x", "--into", "logs")]
    assert "".join(one.whole for one in ended) == snapshot
    assert (asked[0]["words"], asked[0]["to"], asked[0]["mode"]) == ((("notes.txt", "data"),), "x/", "600")


def test_copy_as_it_is_written_for_scp(cli: Cli, given: Given, snapshot: SnapshotAssertion) -> None:
    asked = given("copy", None)
    ended = [cli("copy", "notes.txt", "red[01-02]:/home/pi/"), cli("copy", "a", "b", "pi@red:")]
    assert "".join(one.whole for one in ended) == snapshot
    assert asked == []


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Standard input and output look like a terminal's; what would take their place is in the list."""
    replaced: list[list[str]] = []
    monkeypatch.setattr("bramble.cli.shell._on_a_terminal", lambda: True)
    monkeypatch.setattr("shutil.which", lambda name: None if name == "tmux" else f"/usr/bin/{name}")
    monkeypatch.setattr("os.execvp", lambda _, argv: replaced.append(argv))
    return replaced


def test_shell(cli: Cli, given: Given, at_a_terminal: list[list[str]], snapshot: SnapshotAssertion) -> None:
    red, red01 = (api.Terminal(host=host, argv=("ssh", host)) for host in ("red", "red01"))
    given("shell", (red,))
    assert cli("shell", "--hosts", "red").code == 0
    assert at_a_terminal == [["ssh", "red"]]
    given("shell", (red, red01))
    several = cli("shell", "--hosts", "red,red01")
    given("shell", (api.Terminal(host="red02", argv=(), error=LOST),))
    nobody = cli("shell", "--hosts", "red02")
    assert (several.code, nobody.code) == (2, 1)
    assert several.whole + nobody.whole == snapshot


def test_a_shell_needs_a_terminal(cli: Cli, given: Given) -> None:
    asked = given("shell", ())
    ended = cli("shell", "--hosts", "red")
    assert (ended.code, asked) == (2, [])
    assert "bramble run" in ended.err
