"""The loop on a folder that plays the host's file system."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bramble.runner.lock import Lock
from bramble.runner.loop import Loop
from bramble.runner.step import Record, Step, StepError
from bramble.runner.steps import Directory, File
from bramble.runner.system import System
from bramble.runner.wire import encode

OWNER, GROUP = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name


class Host:
    """A loop and what it said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "etc").mkdir(exist_ok=True)
        self.said: list[dict[str, Any]] = []
        self.loop = self._loop()

    def _loop(self) -> Loop:
        return Loop(self.said.append, System(str(self.root)), str(self.root / "journal"), Lock(str(self.root / "run")))

    def group(self, *steps: Step, mode: str = "apply", service: str = "slurm") -> list[str]:
        """Serve a group in a session of its own; returns the outcomes."""
        self.loop, self.said[:] = self._loop(), []
        request = {"do": "group", "group": "G", "mode": mode, "service": service, "run": "r", "timeout": 60}
        self.loop.serve({**request, "steps": [encode(step) for step in steps]})
        return self.outcomes()

    def undo(self, service: str = "slurm", **more: Any) -> list[str]:
        self.loop, self.said[:] = self._loop(), []
        self.loop.serve({"do": "undo", "group": "U", "service": service, "mode": "apply", "timeout": 60, **more})
        return self.outcomes()

    def outcomes(self) -> list[str]:
        ends = {"step-done": "", "step-failed": "failed", "step-cancelled": "cancelled"}
        return [m.get("outcome") or ends[m["kind"]] for m in self.said if m["kind"] in ends]

    def tree(self) -> dict[str, str]:
        return {p.name: p.read_text() for p in (self.root / "etc").iterdir() if p.is_file()}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def file(name: str, content: str) -> File:
    return File(path=f"/etc/{name}", content=content, owner=OWNER, group=GROUP)


def test_a_dry_run_writes_nothing_at_all(host: Host) -> None:
    assert host.group(file("a", "new"), mode="check") == ["would-change"]
    assert host.tree() == {} and not (host.root / "journal").exists()


def test_the_second_time_nothing_changes(host: Host) -> None:
    steps = file("a", "1"), file("b", "2")
    assert host.group(*steps) == ["changed", "changed"]
    assert host.group(*steps) == ["unchanged", "unchanged"]


def test_removal_puts_back_what_was_there(host: Host) -> None:
    (host.root / "etc" / "a").write_text("theirs")
    before = host.tree()
    host.group(file("a", "ours"), file("b", "ours"))
    host.group(file("a", "ours again"), file("b", "ours"))
    assert host.undo() == ["undone", "undone"]
    assert host.tree() == before and not (host.root / "journal").exists()


def test_removal_twice_does_nothing(host: Host) -> None:
    host.group(file("a", "ours"))
    host.undo()
    assert host.undo() == []


def test_a_file_edited_since_stays_and_is_named(host: Host) -> None:
    host.group(file("a", "ours"))
    (host.root / "etc" / "a").write_text("edited by hand")
    assert host.undo() == ["kept"]
    assert "/etc/a" in host.said[-2]["summary"]
    assert host.tree() == {"a": "edited by hand"}


def test_what_was_there_already_stays(host: Host) -> None:
    (host.root / "etc" / "a").write_text("same")
    os.chmod(host.root / "etc" / "a", 0o644)
    assert host.group(file("a", "same")) == ["unchanged"]
    host.undo()
    assert host.tree() == {"a": "same"}


def test_two_services_and_one_file(host: Host) -> None:
    (host.root / "etc" / "a").write_text("theirs")
    host.group(file("a", "ours"), service="slurm")
    host.group(file("a", "ours"), service="spark")
    assert host.undo("slurm") == ["kept"]
    assert host.tree() == {"a": "ours"}
    host.undo("spark")
    assert host.tree() == {"a": "theirs"}


def test_what_a_plan_no_longer_wants_is_put_back(host: Host) -> None:
    host.group(file("a", "1"), file("b", "2"))
    assert host.undo(wanted=["File /etc/a"]) == ["undone"]
    assert host.tree() == {"a": "1"}


def test_a_step_that_fails_ends_its_group_with_a_cause(host: Host) -> None:
    assert host.group(file("a", "1"), file("no/where", "2"), file("c", "3")) == ["changed", "failed"]
    assert "/etc/no" in host.said[-1]["why"]
    assert host.tree() == {"a": "1"}


def test_a_cancel_stops_between_steps(host: Host) -> None:
    loop = host.loop
    loop.system.cancel.set()
    loop.serve(
        {
            "do": "group",
            "group": "G",
            "mode": "apply",
            "service": "s",
            "run": "r",
            "timeout": 60,
            "steps": [encode(file("a", "1"))],
        }
    )
    assert host.outcomes() == ["cancelled"] and host.tree() == {}


def test_a_run_cut_between_intent_and_change_loses_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    (host.root / "etc" / "a").write_text("theirs")

    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(File, "apply", cut)
        with pytest.raises(KeyboardInterrupt):
            host.group(file("a", "ours"))
    host.group(file("a", "ours"))
    host.undo()
    assert host.tree() == {"a": "theirs"}


def test_a_run_cut_between_change_and_confirmation_loses_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(File, "fingerprint", cut)
        with pytest.raises(KeyboardInterrupt):
            host.group(Directory(path="/etc/d", owner=OWNER, group=GROUP), file("d/a", "ours"))
    host.undo()
    assert host.tree() == {} and not (host.root / "etc" / "d").exists()


def test_a_removal_cut_before_what_runs_again_makes_up_for_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Callable[[System], None]] = [fails, fails, passes]
    put_back = File.undo

    def undo(step: File, system: System, records: Mapping[str, Record]) -> str | None:
        system.afterwards["daemon"] = ends.pop(0)
        return put_back(step, system, records)

    monkeypatch.setattr(File, "undo", undo)
    host.group(file("a", "ours"))
    assert host.undo() == ["undone", "failed"]
    assert host.undo() == ["undone", "failed"]
    assert (host.root / "journal").exists()
    assert host.undo() == ["undone"]
    assert not ends and not (host.root / "journal").exists()


def fails(system: System) -> None:
    raise StepError("the daemon did not start")


def passes(system: System) -> None:
    pass


def test_one_run_at_a_time(host: Host) -> None:
    first, second = host._loop(), host._loop()
    first.serve({"do": "lock", "run": "r1", "who": "pi@laptop"})
    second.serve({"do": "lock", "run": "r2", "who": "pi@desk"})
    assert [m["kind"] for m in host.said] == ["locked", "busy"]
    assert host.said[1]["who"] == "pi@laptop" and host.said[1]["run"] == "r1"
    first.close()
    second.serve({"do": "lock", "run": "r2", "who": "pi@desk"})
    assert host.said[-1]["kind"] == "locked"
