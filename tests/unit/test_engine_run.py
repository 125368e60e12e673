"""The engine's order of things: barriers, failures, retries, reboots, interrupts. The hosts here only play along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bramble.engine.member import Opener
from bramble.engine.run import Run
from bramble.engine.session import Session
from bramble.errors import ConnectionLost, HostBusy, Interrupted, Unreachable, UsageError
from bramble.plan import Plan, group
from bramble.runner import events
from bramble.runner.steps import File

A = File(path="/etc/a", content="a")
Answer = dict[str, Any]
Behaviour = Callable[["PlayedSession", str], AsyncIterator[Answer]]


async def obliging(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
    """A host on which every group changes something, after a moment."""
    await asyncio.sleep(0)
    yield {"kind": "step-done", "group": title, "step": "File /etc/a", "outcome": "changed"}
    yield {"kind": "group-done", "group": title, "changed": 1}


class PlayedSession:
    """A session whose host does as the test says."""

    def __init__(self, name: str, behaviour: Behaviour = obliging) -> None:
        self.name = name
        self.behaviour = behaviour
        self.cancelled = asyncio.Event()
        self.groups: list[str] = []
        self.busy: HostBusy | None = None
        self.boot_id = "first"
        self.closed = False

    async def lock(self, run: str, who: str) -> None:
        if self.busy:
            raise self.busy

    async def work(self, request: dict[str, Any]) -> AsyncIterator[Answer]:
        self.groups.append(request["group"])
        async for answer in self.behaviour(self, request["group"]):
            yield answer

    async def facts(self) -> Any:
        return SimpleNamespace(boot_id=self.boot_id)

    async def cancel(self) -> None:
        self.cancelled.set()

    async def close(self) -> None:
        self.closed = True


class Stage:
    """A run over played hosts."""

    def __init__(self, **behaviours: Behaviour | Exception) -> None:
        self.sessions: dict[str, PlayedSession] = {}
        self.seen: list[events.Event] = []
        self.behaviours = behaviours
        #: Opens a session; a test may put another in its place.
        self.opener: Opener = self.open
        self.told: list[tuple[str, str]] = []
        self.settled: list[tuple[str, str]] = []
        self.run = Run(
            "r1",
            "pi@here",
            behaviours,
            self._opened,
            self.seen.append,
            moves=lambda host, address: self.told.append((host, address)),
            settled=lambda host, address: self.settled.append((host, address)),
        )

    async def _opened(self, name: str) -> Session:
        return await self.opener(name)

    async def open(self, name: str) -> Session:
        behaviour = self.behaviours[name]
        if isinstance(behaviour, Exception):
            raise behaviour
        self.sessions[name] = PlayedSession(name, behaviour)
        return self.sessions[name]  # type: ignore[return-value]

    def outcome(self, host: str) -> str:
        return self.run.results()[host].outcome


def failing_in(bad: str) -> Behaviour:
    async def behave(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
        if title == bad:
            yield {"kind": "step-failed", "group": title, "step": "File /etc/a", "what": "no", "why": "disk full"}
        else:
            async for answer in obliging(session, title):
                yield answer

    return behave


TWO = Plan(
    service="x",
    groups=(
        group("Files", ["red", "red01"], A),
        group("Manager", ["red"], A, after=["Files"]),
        group("Workers", ["red01"], A, after=["Manager"], requires=["red"]),
    ),
)


async def test_a_host_that_cannot_be_reached_does_not_stop_the_others() -> None:
    stage = Stage(red=obliging, red01=Unreachable("no answer", host="red01"))
    await stage.run.connect(lock=True)
    await stage.run.carry_out(TWO, "apply")
    assert (stage.outcome("red"), stage.outcome("red01")) == ("done", "failed")
    assert stage.sessions["red"].groups == ["Files", "Manager"]


async def test_a_locked_host_is_out_and_nothing_is_sent_to_it() -> None:
    stage = Stage(red=obliging)
    stage.behaviours["red"] = HostBusy("another run is at work", host="red")
    await stage.run.connect(lock=True)
    assert stage.run.results()["red"].failure is not None
    assert stage.run.alive == ()


async def test_a_barrier_holds_until_the_other_host_is_through() -> None:
    open_gate = asyncio.Event()

    async def slow(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
        await open_gate.wait()
        async for answer in obliging(session, title):
            yield answer

    stage = Stage(red=obliging, red01=slow)
    await stage.run.connect(lock=True)
    task = asyncio.create_task(stage.run.carry_out(TWO, "apply"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert stage.sessions["red"].groups == ["Files"]
    assert any(isinstance(e, events.HostWaiting) and e.group == "Manager" for e in stage.seen)
    open_gate.set()
    await task
    assert stage.sessions["red"].groups == ["Files", "Manager"]
    assert stage.sessions["red01"].groups == ["Files", "Workers"]


async def test_what_needs_a_failed_host_is_skipped_and_says_so() -> None:
    stage = Stage(red=failing_in("Files"), red01=obliging)
    await stage.run.connect(lock=True)
    await stage.run.carry_out(TWO, "apply")
    result = stage.run.results()["red01"]
    assert result.outcome == "skipped"
    assert result.failure is not None and "red, which failed" in result.failure.why
    failure = stage.run.results()["red"].failure
    assert failure is not None and failure.why == "disk full"


async def test_a_connection_that_breaks_releases_those_who_wait() -> None:
    async def breaking(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
        if title:
            raise ConnectionLost("the connection ended in the middle", host=session.name)
        yield {}

    stage = Stage(red=obliging, red01=breaking)
    await stage.run.connect(lock=True)
    async with asyncio.timeout(5):
        await stage.run.carry_out(TWO, "apply")
    assert stage.outcome("red") == "done" and stage.outcome("red01") == "failed"


async def test_a_group_is_tried_again_as_often_as_it_says() -> None:
    tries = 0

    async def third_time(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
        nonlocal tries
        tries += 1
        async for answer in obliging(session, title) if tries == 3 else failing_in(title)(session, title):
            yield answer

    stage = Stage(red=third_time)
    await stage.run.connect(lock=True)
    await stage.run.carry_out(Plan(service="x", groups=(group("Files", ["red"], A, retries=2),)), "apply")
    assert stage.outcome("red") == "done" and tries == 3


async def test_an_interrupt_lets_hosts_stop_between_steps() -> None:
    async def until_cancelled(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
        await session.cancelled.wait()
        yield {"kind": "step-cancelled", "group": title, "step": "File /etc/a"}

    stage = Stage(red=until_cancelled, red01=until_cancelled)

    async def work() -> None:
        await stage.run.connect(lock=True)
        await stage.run.carry_out(TWO, "apply")

    task = asyncio.create_task(stage.run.finish(work()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(Interrupted):
        await task
    assert stage.outcome("red") == stage.outcome("red01") == "interrupted"
    assert "Manager" not in stage.sessions["red"].groups


async def restarting(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
    """A host that restarts in its first boot, and does its work in the second."""
    if session.boot_id == "first":
        yield {"kind": "reboot", "boot_id": "first"}
    async for answer in obliging(session, title):
        yield answer


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.engine.away.LOOK", 0.01)
    monkeypatch.setattr("bramble.engine.away.REBOOT", 0.2)


@pytest.mark.usefixtures("soon")
async def test_a_host_that_restarts_goes_on_where_it_was() -> None:
    stage = Stage(red=restarting)
    await stage.run.connect(lock=True)
    opened: list[PlayedSession] = [stage.sessions["red"]]

    async def again(name: str) -> Session:
        if len(opened) < 3:
            opened.append(PlayedSession(name, restarting))  # still the first boot: it is about to go down
            if len(opened) == 3:
                raise Unreachable("no answer", host=name)
        else:
            opened.append(PlayedSession(name, restarting))
            opened[-1].boot_id = "second"
        return opened[-1]  # type: ignore[return-value]

    stage.opener = again
    await stage.run.carry_out(Plan(service="x", groups=(group("Files", ["red"], A),)), "apply")
    assert stage.outcome("red") == "done"
    assert [session.closed for session in opened] == [True, True, False, False]
    assert opened[-1].groups == ["Files"]


@pytest.mark.usefixtures("soon")
async def test_a_host_that_never_goes_down_is_not_waited_for_for_ever() -> None:
    stage = Stage(red=restarting)
    await stage.run.connect(lock=True)
    await stage.run.carry_out(Plan(service="x", groups=(group("Files", ["red"], A),)), "apply")
    failure = stage.run.results()["red"].failure
    assert failure is not None
    assert "was not back within" in failure.what and failure.why == "it never went down"
    assert stage.sessions["red"].closed


async def test_what_is_wrong_for_all_hosts_is_raised_once() -> None:
    broken = UsageError("line 3 of ~/.ssh/config cannot be read")
    stage = Stage(red=broken, red01=broken)
    with pytest.raises(UsageError, match="line 3"):
        await stage.run.connect(lock=True)


async def test_what_is_made_here_is_broken_off_by_an_interrupt() -> None:
    stage = Stage(red=obliging)
    broken_off = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            broken_off.set()

    async def work() -> None:
        await stage.run.connect(lock=False)
        await stage.run.here(long())

    running = asyncio.create_task(stage.run.finish(work()))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(Interrupted):
        await asyncio.wait_for(running, 5)
    assert broken_off.is_set() and stage.outcome("red") == "interrupted"


async def test_what_goes_wrong_here_is_raised() -> None:
    async def wrong() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError):
        await Stage(red=obliging).run.here(wrong())
