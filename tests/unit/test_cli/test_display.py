"""What a run looks like, fed with the events of runs on real hosts."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion
from tests.unit.test_cli.support import Recorded

from bramble.cli.jsonlines import JsonLines
from bramble.cli.lines import Lines
from bramble.cli.progress import Progress
from bramble.cli.story import HostLine, short
from bramble.errors import PlanError
from bramble.runner import events
from bramble.runner.events import Event

RUNS = ["deploy", "dry-run", "failed", "broken", "interrupted", "remove", "verify"]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def _feed(display: Lines | Progress | JsonLines, happened: list[Event], cluster: str = "") -> None:
    for number, event in enumerate(happened):
        display.take(event, cluster)
        if number % 20 == 0:
            display.tick()
    display.close()


def _screen(written: str) -> str:
    """What a terminal shows in the end: lines that were erased are gone."""
    rows = [""]
    for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", written):
        if part == "\n":
            rows.append("")
        elif part == "\x1b[1A":
            rows.pop()
        elif part == "\x1b[2K":
            rows[-1] = ""
        elif part and not part.startswith("\x1b") and part != "\r":
            rows[-1] += part
    return "\n".join(row.rstrip() for row in rows)


@pytest.mark.parametrize("run", RUNS)
def test_lines_in_a_pipe(
    run: str, recorded: Recorded, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    _feed(Lines(), recorded(run))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert not re.search(r" \n", out), "no blanks at the end of a line"
    assert out == snapshot


def test_verbose_lines_tell_every_step(
    recorded: Recorded, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    _feed(Lines(verbose=True), recorded("failed"))
    assert capsys.readouterr().out == snapshot


@pytest.mark.parametrize("display", ["lines", "progress"])
def test_differences_are_shown_once_for_hosts_that_are_alike(
    display: str, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    happened = recorded("dry-run")
    if display == "lines":
        _feed(Lines(diff=True), happened)
        out = capsys.readouterr().out
    else:
        terminal = Terminal()
        _feed(Progress(terminal, diff=True), happened)
        out = _screen(terminal.getvalue())
    assert out.count("+ClusterName=") == 1
    assert "red,red[01-02]: File /etc/slurm/slurm.conf\n" in out


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("run", RUNS)
def test_what_stays_on_a_terminal(
    run: str, width: int, recorded: Recorded, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    terminal = Terminal()
    _feed(Progress(terminal), recorded(run))
    assert "\x1b[" in terminal.getvalue()
    assert _screen(terminal.getvalue()) == snapshot


@pytest.mark.parametrize("width", [80, 120])
def test_the_hosts_while_a_run_is_on(
    width: int, recorded: Recorded, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    happened = recorded("failed")
    frames = []
    shown = Progress(Terminal())
    for event in happened[:-1]:
        monkeypatch.setattr("time.time", lambda now=event.time: now)
        shown.take(event)
        if isinstance(event, events.StepStarted | events.StepProgress | events.HostWaiting | events.HostFailed):
            frames.append(_frame(shown, width))
    shown.close()
    assert all(len(line) < width for frame in frames for line in frame.splitlines())
    assert "\n\n".join(frames[:: max(1, len(frames) // 8)]) == snapshot


def _frame(shown: Progress, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(shown.table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    # The spinner turns by the real clock.
    return "\n".join(re.sub("[\u2800-\u28ff]", "*", line).rstrip() for line in text.splitlines())


def test_many_hosts_are_folded_to_what_the_terminal_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "12")
    shown = Progress(Terminal())
    hosts = tuple(f"red{number:03}" for number in range(500))
    shown.take(events.RunStarted(run="r", verb="deploy", service="slurm", hosts=hosts))
    for host in hosts:
        shown.take(events.HostConnected(host=host))
    shown.take(events.GroupStarted(host="red400", group="Packages", steps=1))
    frame = _frame(shown, 80)
    shown.close()
    assert len(frame.splitlines()) <= 8
    assert "red400 Packages" in frame
    assert "and red[006-399,401-499]" in frame


def test_a_terminal_without_unicode_gets_ascii(recorded: Recorded) -> None:
    terminal = Terminal()
    terminal.encoding = "ascii"
    _feed(Progress(terminal), recorded("failed"))
    terminal.getvalue().encode("ascii")


def test_json_lines_are_the_events_themselves(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    happened = recorded("failed")
    _feed(JsonLines(), happened)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [events.from_json(line) for line in told] == happened


def test_json_lines_name_the_cluster_where_there_are_several(capsys: pytest.CaptureFixture[str]) -> None:
    display = JsonLines()
    display.take(events.Note(text="hello"), "blue")
    display.fail(PlanError("no", hint="do"), "blue")
    note, error = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert note["cluster"] == error["cluster"] == "blue"
    assert (error["kind"], error["error"], error["exit_code"]) == ("error", "PlanError", 2)
    assert (error["what"], error["hint"]) == ("no", "do")


def test_nothing_a_host_says_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07red\x07\x08"
    display = Lines(verbose=True)
    display.take(events.RunStarted(run="r", verb="deploy", service="slurm", hosts=("red",)))
    display.take(events.StepProgress(host="red", step="Package a", text=evil))
    display.take(events.StepDone(host="red", step="Package a", outcome="changed", summary=evil))
    display.take(events.StepFailed(host="red", step="Package b", what=evil))
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x07\x08")
    assert out.count("red\n") == 3


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Package munge, Package slurmd", "Package munge, slurmd"),
        ("Package munge", "Package munge"),
        ("File /etc/a b, File /etc/c", "File /etc/a b, File /etc/c"),
        ("Group slurm, User slurm", "Group slurm, User slurm"),
        ("", ""),
    ],
)
def test_titles_are_shortened_only_where_nothing_is_lost(title: str, shown: str) -> None:
    assert short(title) == shown


def test_a_host_that_is_out_no_longer_counts_its_time() -> None:
    line = HostLine("red", activity="out", began=10.0, ended=12.0)
    assert line.ended - line.began == 2.0


@pytest.mark.parametrize("display", ["lines", "progress"])
def test_several_clusters_at_once_are_told_apart(
    display: str, recorded: Recorded, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    terminal = Terminal()
    shown = Lines() if display == "lines" else Progress(terminal)
    for pair in zip(recorded("verify"), recorded("verify"), strict=True):
        for cluster, event in zip(("red", "blue"), pair, strict=True):
            shown.take(event, cluster)
            shown.tick()
    shown.close()
    written = capsys.readouterr().out if display == "lines" else _screen(terminal.getvalue())
    assert not re.search("[\u2800-\u28ff✓✗·]", written), "nothing of the hosts' lines is left over"
    assert written == snapshot
