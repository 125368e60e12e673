"""Commands, waits and probes, with real processes and sockets of this machine."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.disk import Disk, carry_out, change, put_back

from bramble.runner.secret import Secret
from bramble.runner.step import StepError, Unknown
from bramble.runner.steps import Command, Probe, Wait, systemd
from bramble.runner.system import Cancelled
from bramble.runner.wire import encode


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


# Command


def test_a_command_is_run_for_what_it_creates(disk: Disk) -> None:
    step = Command(argv=("touch", disk.path("/made")), creates="/made", undo_argv=("rm", "-f", disk.path("/made")))
    records = carry_out(step, disk)
    assert Path(disk.path("/made")).exists()
    assert put_back(step, disk, records) is None
    assert not Path(disk.path("/made")).exists()


def test_a_command_is_run_again_only_when_what_it_depends_on_changed(disk: Disk) -> None:
    disk.put("/etc/conf", "1")
    runs = Path(disk.path("/runs"))
    step = Command(argv=("sh", "-c", f"echo run >> {runs}"), when_changed=("/etc/conf",))
    assert change(step, disk).summary == "run: not run yet"
    carry_out(step, disk)
    disk.put("/etc/conf", "2")
    assert change(step, disk).summary == "run: what it depends on changed"
    carry_out(step, disk)
    assert runs.read_text() == "run\nrun\n"


def test_a_file_that_comes_or_goes_is_a_change_too(disk: Disk) -> None:
    disk.put("/etc/conf.d/a", "1")
    step = Command(argv=("true",), when_changed=("/etc/conf.d", "/etc/conf"))
    carry_out(step, disk)
    disk.put("/etc/conf", "")
    carry_out(step, disk)
    Path(disk.path("/etc/conf.d/a")).rename(disk.path("/etc/conf.d/b"))
    assert change(step, disk) is not None


def test_unless_is_asked_and_may_come_from_an_earlier_step(disk: Disk) -> None:
    assert Command(argv=("false",), unless=("true",)).check(disk) is None
    assert change(Command(argv=("true",), unless=("false",)), disk).summary == "run: not done yet"
    answer = Command(argv=("true",), unless=("no-such-program",)).check(disk)
    assert isinstance(answer, Unknown) and "no-such-program" in answer.reason


@pytest.mark.parametrize(
    ("said", "why", "hint"),
    [
        ("no answer\nhint: look at the firewall", "no answer", "look at the firewall"),
        ("hint: alone", "hint: alone", ""),
        ("write /x: no space left on device\nctr: gave up", "write /x: no space left on device", "df -h"),
    ],
)
def test_a_script_may_say_itself_what_to_do(disk: Disk, said: str, why: str, hint: str) -> None:
    step = Command(name="join", argv=("sh", "-c", 'echo "$0" >&2; exit 1', said), creates="/no")
    with pytest.raises(StepError) as failed:
        step.apply(disk, change(step, disk))
    assert failed.value.why == why and hint in failed.value.hint
    assert failed.value.log == tuple(line for line in said.splitlines() if line != f"hint: {hint}")


def test_a_secret_goes_in_by_standard_input_and_never_comes_out(disk: Disk) -> None:
    secret = Secret("p", value=b"hunter2\nswordfish")
    step = Command(
        argv=("sh", "-c", "cat; echo $KEY; exit 3"),
        name="set the password",
        creates="/x",
        input=secret,
        env={"KEY": secret},
    )
    answer = change(step, disk)
    with pytest.raises(StepError, match="set the password failed") as raised:
        step.apply(disk, answer)
    said = f"{raised.value.why} {raised.value.log}"
    assert "•••" in said and "hunter2" not in said and "swordfish" not in said
    assert "hunter2" not in str(encode(step)) + repr(step)


@pytest.mark.parametrize(
    "fields",
    [
        {"argv": ()},
        {"argv": ("true",)},
        {"argv": ("echo", Secret("p")), "creates": "/x"},
        {"argv": ("true",), "unless": ("echo", Secret("p"))},
    ],
)
def test_a_command_that_is_unsafe_or_has_no_end_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Command(**fields)


# Wait


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody listens at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_port_that_is_there_needs_no_wait() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert Wait(port=server.getsockname()[1]).check(Disk(Path("/nowhere"))) is None


def test_a_port_that_does_not_come_is_an_error_that_tells_what_was_seen(disk: Disk, port: int) -> None:
    step = Wait(port=port, deadline=0.2)
    assert step.title == f"Wait for port {port}"
    with pytest.raises(StepError, match=f"port {port} was not there within 0 s") as raised:
        step.apply(disk, change(step, disk))
    assert raised.value.why == "Connection refused"


def test_what_comes_late_ends_the_wait(disk: Disk) -> None:
    step = Wait(path="/late", deadline=20)
    answer = change(step, disk)
    threading.Timer(0.3, lambda: disk.put("/late")).start()
    began = time.monotonic()
    step.apply(disk, answer)
    assert 0.1 < time.monotonic() - began < 10


def test_an_interrupt_ends_the_wait(disk: Disk) -> None:
    step = Wait(path="/never")
    answer = change(step, disk)
    disk.cancel.set()
    with pytest.raises(Cancelled):
        step.apply(disk, answer)


def test_a_name_that_does_not_resolve_is_named(disk: Disk) -> None:
    assert "red09.invalid cannot be resolved" in change(Wait(port=1, host="red09.invalid"), disk).summary


def test_http_is_asked_past_any_proxy_and_its_status_told(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/up" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert Wait(http=f"{url}/up").check(disk) is None
        assert change(Wait(http=f"{url}/down"), disk).summary.endswith("HTTP 503 Service Unavailable")
        server.shutdown()


def test_a_unit_that_fails_ends_the_wait_at_once(disk: Disk, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    state = systemd.State(
        {"LoadState": "loaded", "ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "7"}
    )
    monkeypatch.setattr(systemd, "show", lambda system, name: state)
    monkeypatch.setattr(systemd, "log", lambda system, *names, **more: ("bad configuration",))
    step = Wait(port=port, unit="slurmctld.service", deadline=60)
    began = time.monotonic()
    with pytest.raises(StepError, match=r"slurmctld.service does not run") as raised:
        step.apply(disk, change(step, disk))
    assert time.monotonic() - began < 10
    assert (raised.value.why, raised.value.log) == ("it ended with status 7", ("bad configuration",))


@pytest.mark.parametrize("fields", [{}, {"port": 1, "path": "/x"}])
def test_a_wait_is_for_one_thing(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Wait(**fields)


# Probe


def said(step: Probe, disk: Disk) -> StepError:
    with pytest.raises(StepError) as raised:
        step.check(disk)
    return raised.value


def test_lines_are_expected_in_any_order_each_as_often_as_given(disk: Disk) -> None:
    argv = ("printf", "red01\nred02\nred01\n\n")
    assert Probe(name="p", argv=argv, expect_lines=("red01", "red01", "red02")).check(disk) is None
    error = said(Probe(name="every node answers", argv=argv, expect_lines=("red01", "red02", "red03")), disk)
    assert error.what == "every node answers: 'red03' did not come"
    assert error.why == "'red01' came unexpectedly"
    assert "red02" in error.log


def test_a_missing_line_names_its_host(disk: Disk) -> None:
    step = Probe(
        name="a job on every node",
        argv=("echo", "red01"),
        expect_lines=("red01", "red02", "red03"),
        blame={"red02": "red02 did not answer", "red03": "red03 did not answer"},
        hint="sinfo -R",
    )
    error = said(step, disk)
    assert error.what == "a job on every node: red02 did not answer"
    assert (error.why, error.hint) == ("red03 did not answer", "sinfo -R")


def test_a_status_and_a_pattern_are_compared(disk: Disk) -> None:
    assert (
        Probe(name="p", argv=("sh", "-c", "echo a 12; exit 3"), expect_status=3, expect_match=r"^a \d+$").check(disk)
        is None
    )
    error = said(Probe(name="p", argv=("sh", "-c", "echo x; echo no >&2; exit 1"), expect_match="^a"), disk)
    assert error.what == "p: expected '^a', but 'x' came"
    assert error.why == "it ended with status 1, not 0: no"


def test_the_log_of_the_units_goes_along(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "log", lambda system, *names, **more: tuple(f"log of {name}" for name in names))
    error = said(Probe(name="p", argv=("no-such-program",), log_units=("slurmd",)), disk)
    assert error.what == "p: no-such-program is not on this host" and error.log == ("log of slurmd",)


def test_a_probe_that_takes_too_long_fails(disk: Disk) -> None:
    assert "did not finish" in said(Probe(name="p", argv=("sleep", "9"), timeout=0.2), disk).what


def test_a_probe_that_cannot_fail_is_refused() -> None:
    with pytest.raises(ValueError, match="expects nothing"):
        Probe(name="p", argv=("true",), expect_status=None)
