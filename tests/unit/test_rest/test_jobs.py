"""Jobs: one a host at a time, so many at once, followed, cancelled, done again, and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bramble.errors import HostError, UsageError
from bramble.rest.database import Database
from bramble.rest.jobs import Job, Jobs, Request, Wanted, job
from bramble.rest.jobs.kept import Kept
from bramble.rest.problem import Refused
from bramble.runner import events


class Work:
    """A verb that goes to these hosts, and ends when it is told to."""

    def __init__(self, *hosts: str, says: int = 0) -> None:
        self.hosts, self.says, self.go, self.times = hosts, says, asyncio.Event(), 0

    async def __call__(self, *, on_event: Any, on_begin: Any) -> Any:
        if self.hosts:
            on_begin(self.hosts)
        self.times += 1
        on_event(events.RunStarted(run="20260101-1", verb="deploy"))
        for number in range(self.says):
            on_event(events.Note(text=f"note {number}"))
        await self.go.wait()
        return {"exit_code": 0}


@pytest.fixture
async def database(home: Path) -> AsyncIterator[Database]:
    made = Database(home / "service" / "service.sqlite")
    yield made
    made.close()


@pytest.fixture
async def jobs(database: Database) -> AsyncIterator[Jobs]:
    made = Jobs(database, at_once=2)
    yield made
    await made.close()


def asked(work: Any, **more: Any) -> Request:
    return Request(verb="deploy", service="slurm", cluster="red", call=work, who="maria", **more)


async def told(jobs: Jobs, job: Job, after: int = 0) -> list[str]:
    return [f"{one.number} {one.kind}" async for some in jobs.follow(job, after) for one in some]


async def test_two_jobs_share_no_host(jobs: Jobs) -> None:
    first, second = Work("red", "red01"), Work("red01")
    holder = await jobs.submit(asked(first))
    waiting = await jobs.submit(asked(second))
    assert (holder.state, waiting.state, second.times) == ("running", "queued", 0)
    first.go.set()
    assert await jobs.ended(holder, 5)
    second.go.set()
    assert await jobs.ended(waiting, 5)
    assert (holder.state, waiting.state) == ("done", "done")
    assert "waits: another job has red01: deploy slurm, asked for by maria" in waiting.happened[0].data


async def test_who_waits_longer_comes_first(jobs: Jobs) -> None:
    works = [Work("red"), Work("red", "red01"), Work("red01")]
    all = [await jobs.submit(asked(work)) for work in works]
    assert [one.state for one in all] == ["running", "queued", "queued"]
    works[0].go.set()
    await jobs.ended(all[0], 5)
    await asyncio.sleep(0.01)
    assert [one.state for one in all] == ["done", "running", "queued"]


async def test_who_does_not_want_to_wait_is_told_who_has_the_host(jobs: Jobs) -> None:
    holder = await jobs.submit(asked(Work("red")))
    with pytest.raises(Refused, match="another job has red") as refused:
        await jobs.submit(asked(Work("red"), wait=False))
    assert (refused.value.status, refused.value.more) == (409, {"holder": holder.id})
    assert [one.id for one in jobs.all()] == [holder.id]


@pytest.mark.parametrize("hosts", [["red03"], []])
async def test_no_more_are_at_work_than_so_many(jobs: Jobs, hosts: list[str]) -> None:
    works = [Work("red01"), Work(), Work(*hosts)]
    all = [await jobs.submit(asked(work)) for work in works]
    assert [one.state for one in all] == ["running", "running", "queued"]
    works[1].go.set()
    await jobs.ended(all[1], 5)
    await asyncio.sleep(0.01)
    assert all[2].state == "running"


async def test_what_is_impossible_is_no_job(jobs: Jobs) -> None:
    async def impossible(**_: Any) -> None:
        raise UsageError("no such service", hint="bramble services")

    with pytest.raises(UsageError, match="no such service"):
        await jobs.submit(asked(impossible))
    assert jobs.all() == []


async def test_what_goes_wrong_later_is_its_problem(jobs: Jobs) -> None:
    async def wrong(**hooks: Any) -> None:
        hooks["on_begin"](("red",))
        raise HostError("it is gone", host="red", why="no route", hint="look at it")

    async def broken(**hooks: Any) -> None:
        hooks["on_begin"](("red",))
        raise ZeroDivisionError("secret things")

    one, other = await jobs.submit(asked(wrong)), await jobs.submit(asked(broken))
    await jobs.ended(other, 5)
    assert one.problem == {
        "type": "urn:bramble:HostError", "title": "it is gone", "status": 502, "detail": "no route", "host": "red",
        "hint": "look at it",
    }  # fmt: skip
    assert other.state == "failed"
    assert "secret things" not in str(other.problem)


async def test_a_key_makes_one_job_of_two_requests(jobs: Jobs) -> None:
    work = Work("red")
    same: dict[str, Any] = {"key": "1", "body": "a", "secrets": {"sudo_password": b"pi"}}
    one, other = await asyncio.gather(jobs.submit(asked(work, **same)), jobs.submit(asked(work, **same)))
    assert one is other
    assert work.times == 1
    others: list[dict[str, Any]] = [{"body": "b"}, {"secrets": {"sudo_password": b"po"}}, {"secrets": {}}]
    for other_one in others:
        with pytest.raises(Refused, match="used for something else"):
            await jobs.submit(asked(work, **(same | other_one)))
    assert (await jobs.submit(asked(Work(), **(same | {"key": "2"})))).id != one.id


async def test_a_key_is_forgotten_after_a_day(jobs: Jobs, database: Database) -> None:
    work = Work()
    one = await jobs.submit(asked(work, key="1", body="a"))
    work.go.set()
    await jobs.ended(one, 5)
    assert (await jobs.submit(asked(work, key="1", body="a"))).id == one.id
    with database.change() as change:
        change.execute("UPDATE job_keys SET time = time - 86401")
    other = await jobs.submit(asked(work, key="1", body="b"))
    assert other.id != one.id
    assert len(database.rows("SELECT * FROM job_keys")) == 1


async def test_a_secret_is_nowhere_in_what_is_kept(jobs: Jobs, database: Database) -> None:
    work = Work("red")
    await jobs.submit(asked(work, key="1", body="a", secrets={"sudo_password": b"s3cret-of-mine"}))
    with database.change() as change:
        change.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(b"s3cret-of-mine" not in path.read_bytes() for path in database.path.parent.iterdir())
    (kept,) = database.rows("SELECT secrets FROM jobs")
    assert kept["secrets"] == '["sudo_password"]'


async def test_who_cancels_is_noted(jobs: Jobs) -> None:
    begun, waiting = await jobs.submit(asked(Work("red"))), await jobs.submit(asked(Work("red")))
    jobs.cancel(waiting, "otto")
    assert await jobs.ended(waiting, 5)
    jobs.cancel(begun, "otto")
    assert await jobs.ended(begun, 5)
    for one in (begun, waiting):
        kept = jobs.get(one.id)
        assert (kept.state, kept.cancelled_by) == ("cancelled", "otto")


async def test_an_end_of_the_service_is_no_cancelling(jobs: Jobs) -> None:
    begun = await jobs.submit(asked(Work("red")))
    await jobs.close()
    assert jobs.get(begun.id).state == "cut off"


async def test_what_happened_is_there_after_a_kill(jobs: Jobs, database: Database) -> None:
    work = Work("red", says=3)
    begun = await jobs.submit(asked(work))
    live = await asyncio.wait_for(anext(aiter(jobs.follow(begun))), 5)
    await asyncio.sleep(0.7)
    again = Jobs(Database(database.path))  # as a new process finds it: the old one had no time to end anything
    found = again.get(begun.id)
    assert (found.state, found.run, found.hosts) == ("cut off", "20260101-1", ("red",))
    assert await told(again, found) == [f"{one.number} {one.kind}" for one in live]
    assert await told(again, found, after=2) == ["3 note", "4 note"]


async def test_who_follows_gets_every_event_once(jobs: Jobs) -> None:
    class Talks(Work):
        async def __call__(self, *, on_event: Any, on_begin: Any) -> Any:
            on_begin(("red",))
            for number in range(300):
                on_event(events.Note(text=str(number)))
                await asyncio.sleep(0)

    begun = await jobs.submit(asked(Talks()))
    all = await told(jobs, begun)
    assert all == [f"{number} note" for number in range(1, 301)]
    assert await told(jobs, jobs.get(begun.id)) == all
    assert await told(jobs, begun, after=299) == all[299:]


def test_what_nobody_was_told_of_is_not_kept(database: Database) -> None:
    """A job that is still found to be impossible may have happened for a while."""
    kept, early = Kept(database), Job(id="1", verb="deploy")
    early.tell(events.Note(text="x"), "{}")
    kept.save(early)
    assert kept.get("1") is None
    kept.add(early)
    kept.save(early)
    assert [one.kind for one in kept.events(early, 0, 9)] == ["note"]


async def test_progress_is_seen_and_not_kept(jobs: Jobs) -> None:
    class Talks(Work):
        async def __call__(self, *, on_event: Any, on_begin: Any) -> Any:
            on_event(events.StepProgress(host="red", text="1 of 2 MB"))
            on_event(events.Note(text="there"))

    begun = await jobs.submit(asked(Talks()))
    await jobs.ended(begun, 5)
    assert [one.kind for one in begun.happened] == ["step-progress", "note"]
    assert await told(jobs, jobs.get(begun.id)) == ["2 note"]


async def test_an_event_from_another_thread_is_told(jobs: Jobs) -> None:
    class Talks(Work):
        async def __call__(self, *, on_event: Any, on_begin: Any) -> Any:
            await asyncio.to_thread(on_event, events.Note(text="from there"))
            await asyncio.sleep(0)

    begun = await jobs.submit(asked(Talks()))
    assert await told(jobs, begun) == ["1 note"]


async def test_silence_is_filled(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "KEEP_ALIVE", 0.01)
    work = Work("red")
    begun = await jobs.submit(asked(work))
    following = jobs.follow(begun)
    assert job.frames(await anext(following)).startswith(b"event: run-started\ndata: {")
    assert job.frames(await anext(following)) == b": still here\n\n"
    await following.aclose()  # type: ignore[attr-defined]


async def test_an_event_is_encoded_once_for_all() -> None:
    one = job.Happening(7, "note", json.dumps({"text": "two\nlines"}))
    assert one.frame is one.frame
    assert one.frame == b'event: note\ndata: {"text": "two\\nlines"}\nid: 7\n\n'


async def test_events_of_old_jobs_go_and_the_jobs_stay(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.rest.jobs.kept.EVENTS_OF", 2)
    times = iter(f"2026010{day}-000000" for day in range(1, 9))
    monkeypatch.setattr("time.strftime", lambda *_: next(times))
    all = []
    for _ in range(3):
        work = Work("red", says=1)
        all.append(await jobs.submit(asked(work)))
        work.go.set()
        await jobs.ended(all[-1], 5)
    assert [len(await told(jobs, jobs.get(one.id))) for one in all] == [0, 2, 2]
    assert [one.id for one in jobs.all()] == [one.id for one in reversed(all)]


async def test_a_list_has_what_was_asked_for(jobs: Jobs) -> None:
    work = Work("red")
    over = await jobs.submit(asked(work))
    work.go.set()
    await jobs.ended(over, 5)
    begun = await jobs.submit(asked(Work("red")))
    newest = max(over.id, begun.id)
    assert [one.id for one in jobs.all(Wanted(state="running"))] == [begun.id]
    assert [one.id for one in jobs.all(Wanted(state="done", cluster="red", service="slurm", who="maria"))] == [over.id]
    assert jobs.all(Wanted(cluster="blue")) == []
    assert [one.id for one in jobs.all(Wanted(limit=1))] == [newest]
    assert [one.id for one in jobs.all(Wanted(before=newest))] == [min(over.id, begun.id)]
