"""Ctrl-C, SIGTERM, a lost terminal, a reader that is gone: the run ends cleanly, once, and says so."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from bramble.cli.carry import carry_out
from bramble.cli.options import Reached
from bramble.engine.report import Report
from bramble.errors import BrambleError, Interrupted, PlanError
from bramble.runner import events
from bramble.runner.events import Event

ONE = Reached(given={}, clusters=())


@pytest.fixture(autouse=True)
def _none_is_ignored() -> Iterator[None]:
    """Under ``nohup``, or in a shell's background, bramble goes on as asked; these tests are about all other cases."""
    usual: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Watcher:
    """A display that notes all it is told, and breaks where it is asked to."""

    def __init__(self, *, breaks: Exception | None = None) -> None:
        self.said: list[str] = []
        self.taken: list[tuple[str, Event]] = []
        self.failed: list[tuple[str, BrambleError]] = []
        self.closed = 0
        self.breaks = breaks

    def take(self, event: Event, cluster: str = "") -> None:
        self.taken.append((cluster, event))
        if self.breaks is not None:
            raise self.breaks

    def fail(self, error: BrambleError, cluster: str = "") -> None:
        self.failed.append((cluster, error))

    def say(self, text: str) -> None:
        self.said.append(text)

    def tick(self) -> None: ...

    def close(self) -> None:
        self.closed += 1


def _verb(body: Callable[[Callable[[Event], None]], Awaitable[None]], stops: list[str]) -> Any:
    """A verb as the API has them: cancelled once, it brings the hosts to a clean stop and raises `Interrupted`."""

    async def work(reach: Any) -> list[Report]:
        task = asyncio.ensure_future(body(reach["on_event"]))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            stops.append("asked")
            task.cancel()
            await asyncio.sleep(0.3)  # hosts finish their step
            stops.append("stopped")
            raise Interrupted("interrupted", hint="bramble deploy slurm") from None
        return [Report(run="r", verb="deploy")]

    return work


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_cleanly(number: signal.Signals) -> None:
    async def body(_: object) -> None:
        os.kill(os.getpid(), number)
        await asyncio.sleep(60)

    stops: list[str] = []
    shown = Watcher()
    with pytest.raises(Interrupted, match="interrupted") as error:
        carry_out(_verb(body, stops), ONE, shown)
    assert error.value.hint == "bramble deploy slurm"
    assert stops == ["asked", "stopped"]
    assert shown.said == ["stopping: hosts finish or abandon their step"]
    assert shown.closed == 1
    assert [error.exit_code for _, error in shown.failed] == [130]


def test_a_second_ctrl_c_cuts_nothing_off_and_tells_who_is_at_work() -> None:
    async def body(on_event: Callable[[Event], None]) -> None:
        for host in ("red01", "red02"):
            on_event(events.StepStarted(host=host, step="Package munge, Package slurmd"))
        on_event(events.GroupDone(host="red02"))
        loop = asyncio.get_running_loop()
        loop.call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
        loop.call_later(0.2, os.kill, os.getpid(), signal.SIGINT)
        loop.call_later(0.25, os.kill, os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    stops: list[str] = []
    shown = Watcher()
    with pytest.raises(Interrupted):
        carry_out(_verb(body, stops), ONE, shown)
    assert stops == ["asked", "stopped"]
    assert shown.said[1:] == ["still finishing: red01 (Package munge, slurmd)"] * 2


def test_what_nohup_ignores_stays_ignored() -> None:
    async def body(_: object) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.1)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert carry_out(_verb(body, []), ONE, Watcher())[0].run == "r"
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_are_as_before_when_it_is_over() -> None:
    async def body(_: object) -> None: ...

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    carry_out(_verb(body, []), ONE, Watcher())
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_reader_that_is_gone_ends_the_run_cleanly() -> None:
    async def body(on_event: Callable[[Event], None]) -> None:
        on_event(events.Note(text="a"))
        on_event(events.Note(text="b"))
        await asyncio.sleep(60)

    stops: list[str] = []
    shown = Watcher(breaks=BrokenPipeError())
    with pytest.raises(Interrupted):
        carry_out(_verb(body, stops), ONE, shown)
    assert stops == ["asked", "stopped"]
    assert len(shown.taken) == 1, "it is not tried again"


def test_a_mistake_in_a_display_is_told_when_the_hosts_have_stopped() -> None:
    async def body(on_event: Callable[[Event], None]) -> None:
        on_event(events.Note(text="a"))
        await asyncio.sleep(60)

    stops: list[str] = []
    with pytest.raises(KeyError, match="oops"):
        carry_out(_verb(body, stops), ONE, Watcher(breaks=KeyError("oops")))
    assert stops == ["asked", "stopped"]


def test_one_cluster_that_cannot_does_not_stop_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.api.reach.resolve", lambda _: None)
    done = []

    async def work(reach: Any) -> list[Report]:
        reach["on_event"](events.Note(text="hello"))
        if reach["cluster"] == "red":
            raise PlanError("red cannot")
        await asyncio.sleep(0.05)
        done.append(reach["cluster"])
        return [Report(run="r", verb="deploy", cluster=reach["cluster"])]

    shown = Watcher()
    with pytest.raises(ExceptionGroup) as group:
        carry_out(work, Reached(given={}, clusters=("red", "blue")), shown)
    assert [str(error) for error in group.value.exceptions] == ["red cannot"]
    assert done == ["blue"]
    assert [cluster for cluster, _ in shown.taken] == ["red", "blue"]
    assert [cluster for cluster, _ in shown.failed] == ["red"]
