"""What a unit's state and the journal make of a `Unit` step; systemd itself is met in the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.disk import Disk, change

from bramble.runner.step import Record, StepError, Unknown
from bramble.runner.steps import Unit, systemd
from bramble.runner.system import Output

RUNS = {"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active"}
RESTS = {"LoadState": "loaded", "UnitFileState": "disabled", "ActiveState": "inactive"}


class Host(Disk):
    """A host whose systemd says what it is told to, and whose commands are only noted."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.unit: dict[str, str] = {}
        self.ran: list[str] = []

    def run(self, argv: Any, **_: Any) -> Output:
        if argv[1] == "show":
            return Output(0, "".join(f"{key}={value}\n" for key, value in self.unit.items()), "")
        self.ran.append(" ".join(word for word in argv if word not in ("--", "--quiet")))
        return Output(0, "", "")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize(
    ("unit", "fields", "summary"),
    [
        (RESTS, {}, "enable, start"),
        (RESTS, {"enabled": None}, "start"),
        (RESTS, {"running": None}, "enable"),
        (RESTS, {"enabled": False, "running": False}, None),
        (RUNS, {"enabled": False, "running": False}, "disable, stop"),
        (RUNS, {"running": None}, None),
        (RUNS, {}, "restart"),
        (RUNS, {"reload": True}, "reload"),
        ({**RUNS, "ActiveState": "failed"}, {}, "start"),
        ({**RUNS, "UnitFileState": "static"}, {"running": None}, None),
        ({**RUNS, "UnitFileState": "enabled-runtime"}, {"running": None}, "enable"),
        ({"LoadState": "not-found"}, {"enabled": False, "running": False}, None),
        ({"LoadState": "masked"}, {"enabled": False, "running": False}, None),
    ],
)
def test_what_is_to_be_done(host: Host, unit: dict[str, str], fields: dict[str, Any], summary: str | None) -> None:
    host.unit = unit
    answer = Unit(name="x", **fields).check(host)
    assert getattr(answer, "summary", None) == summary


def test_a_file_that_was_put_right_restarts_a_unit_that_somebody_had_restarted_with_theirs(host: Host) -> None:
    host.unit = RUNS
    host.put("/etc/x/x.conf", "ours")
    step = Unit(name="x", restart_on=("/etc/x",))
    host.recorded["Unit x.service"] = step.fingerprint(host)
    host.changed.add("File /etc/xy.conf")
    assert step.check(host) is None
    host.changed.add("File /etc/x/x.conf")
    assert change(step, host).summary == "restart"
    host.changed.add("Unit x.service")
    assert step.check(host) is None


def test_a_link_that_was_turned_restarts_a_unit_of_what_lies_behind_it(host: Host) -> None:
    host.unit = RUNS
    step = Unit(name="x", restart_on=("/opt/x/tree",))
    host.recorded["Unit x.service"] = step.fingerprint(host)
    host.changed.add("Link /opt/xy")
    assert step.check(host) is None
    host.changed.add("Link /opt/x")
    assert change(step, host).summary == "restart"


def test_a_unit_is_restarted_with_the_program_that_was_put_back(host: Host) -> None:
    host.unit = RUNS | {"MainPID": "12"}
    step = Unit(name="x", reload=True)
    host.recorded["Unit x.service"] = step.fingerprint(host)
    running = Path(host.path("/proc/12/exe"))
    running.parent.mkdir(parents=True)
    running.symlink_to("/bin/x")
    host.recorded["Artifact /bin/x"] = "of ours"
    assert step.check(host) is None
    running.unlink()
    running.symlink_to("/bin/x (deleted)")
    assert change(step, host).summary == "restart"
    del host.recorded["Artifact /bin/x"]  # a package's: that is its own business
    assert step.check(host) is None


def test_a_restart_is_due_until_the_journal_has_what_the_files_hold(host: Host) -> None:
    host.unit = {**RUNS, "DropInPaths": "/etc/systemd/system/x.service.d/a.conf /usr/lib/systemd/b.conf"}
    dropin = host.put("/etc/systemd/system/x.service.d/a.conf", "[Service]")
    host.put("/etc/x.conf", "1")
    step = Unit(name="x", restart_on=("/etc/x.conf",))

    def started() -> None:
        host.recorded["Unit x.service"] = step.fingerprint(host)
        assert step.check(host) is None

    started()
    host.put("/etc/x.conf", "2")
    assert change(step, host).summary == "restart"
    started()
    dropin.write_text("[Service]\nUser=x")
    assert change(step, host).summary == "restart"
    started()
    host.unit["NeedDaemonReload"] = "yes"
    assert change(step, host).summary == "restart"


def test_a_first_drop_in_is_taken_up_although_systemd_does_not_see_it(host: Host) -> None:
    host.unit = {**RUNS, "NeedDaemonReload": "no"}
    step = Unit(name="x", restart_on=("/etc/systemd/system/x.service.d/a.conf",))
    step.apply(host, change(step, host))
    assert host.ran == ["systemctl daemon-reload", "systemctl restart x.service"]


def test_a_unit_that_is_not_there_yet_cannot_be_judged(host: Host) -> None:
    host.unit = {"LoadState": "not-found"}
    assert isinstance(Unit(name="x").check(host), Unknown)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ({"LoadState": "masked"}, "is masked"),
        ({"LoadState": "bad-setting", "LoadError": "no ExecStart"}, "mistake in its files"),
    ],
)
def test_a_unit_that_cannot_start_is_an_error(host: Host, unit: dict[str, str], message: str) -> None:
    host.unit = unit
    with pytest.raises(StepError, match=message):
        Unit(name="x").check(host)


@pytest.mark.parametrize(
    ("before", "now", "ran", "at_the_end"),
    [
        (RESTS, RUNS, ["disable x.service", "stop x.service"], []),
        (RUNS, RUNS, [], ["restart x.service"]),
        (RUNS, RESTS, ["enable x.service"], ["restart x.service"]),
        (RESTS, {"LoadState": "not-found"}, [], []),
    ],
)
def test_what_is_put_back_now_and_when_all_files_are(
    host: Host, before: dict[str, str], now: dict[str, str], ran: list[str], at_the_end: list[str]
) -> None:
    record = Record({"enabled": before["UnitFileState"], "active": before["ActiveState"]})
    host.unit = now
    assert Unit(name="x").undo(host, {"Unit x.service": record}) is None
    assert host.ran == [f"systemctl {words}" for words in ran]
    host.ran.clear()
    for task in host.afterwards.values():
        task(host)
    assert host.ran == ["systemctl daemon-reload", *(f"systemctl {words}" for words in at_the_end)]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"Result": "exit-code", "ExecMainStatus": "7"}, "it ended with status 7"),
        ({"Result": "signal", "ExecMainStatus": "9"}, "it was ended by signal 9"),
        ({"Result": "timeout"}, "it was not ready in the time its unit gives it"),
        ({"Result": "oom-kill"}, "it needed more memory than the host has"),
        ({"Result": "success", "ActiveState": "inactive"}, "it is inactive"),
    ],
)
def test_why_a_unit_does_not_run(values: dict[str, str], why: str) -> None:
    assert systemd.State(values).why == why
