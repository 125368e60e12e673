"""All jobs: begun, one at a time on each host, followed, cancelled, kept."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi.encoders import jsonable_encoder

from ...engine.report import Report
from ...errors import BrambleError, Interrupted, NotThere, PlanError, UsageError
from ...runner import events
from ..database import Database
from ..problem import Refused, of_error
from .job import OVER, Job, State

#: Seconds a verb has to say that it was asked for something impossible, before it counts as begun.
_GRACE = 0.25

#: What carries out a verb: it is given ``on_event`` and ``on_begin``.
Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for.

    Attributes
    ----------
    verb, cluster, service, arguments, secret, who
        As in `Job`.
    call
        Carries it out.
    wait
        Whether it waits for its hosts; else it is refused where another job has one of them.
    key, body
        The caller's idempotency key, and what was asked with it; the same key with the same body is the same job.
    """

    verb: str
    call: Call
    who: str
    cluster: str = ""
    service: str = ""
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    secret: bool = False
    wait: bool = True
    key: str = ""
    body: str = ""


class _Taken(Exception):
    """Another job has a host that this one wants."""


class Jobs:
    """The jobs of this service; those that an earlier process left in the middle are marked as cut off."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at_work: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: list[Job] = []
        self._freed = asyncio.Event()
        with database.change() as change:
            change.execute("UPDATE jobs SET state = 'cut off' WHERE state IN ('queued', 'running')")

    async def submit(self, request: Request) -> Job:
        """Begin a job.

        Raises
        ------
        UsageError, PlanError
            What was asked for is impossible; there is no job.
        Refused
            Another job has a host of it, and it was not to wait; or the key was used for something else.
        """
        known = self._by_key(request)
        if known is not None:
            return known
        job = Job(
            # Sorted by time at a glance, and nobody guesses the next.
            id=f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}",
            verb=request.verb,
            cluster=request.cluster,
            service=request.service,
            arguments=request.arguments,
            secret=request.secret,
            who=request.who,
            created=time.time(),
        )
        began = asyncio.Event()
        task = asyncio.create_task(self._work(job, request, began), name=job.id)
        self._at_work[job.id], self._tasks[job.id] = job, task
        waiting = asyncio.create_task(began.wait())
        await asyncio.wait((task, waiting), timeout=_GRACE, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done() and task.exception() is not None:
            del self._at_work[job.id], self._tasks[job.id]
            await task
        self._keep(job, request)
        task.add_done_callback(lambda _: self._end(job))
        return job

    def get(self, id: str) -> Job:
        """A job, by its id.

        Raises
        ------
        NotThere
            There is none.
        """
        if id in self._at_work:
            return self._at_work[id]
        row = self._database.row("SELECT * FROM jobs WHERE id = ?", id)
        if row is None:
            raise NotThere(f"there is no job {id!r}", hint="GET /api/v1/jobs")
        return _from_row(row)

    def all(self, *, limit: int = 50, before: str = "", cluster: str = "", state: str = "") -> list[Job]:
        """Jobs, newest first.

        Parameters
        ----------
        before
            Those older than this one.
        cluster, state
            Only those.
        """
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE (? = '' OR id < ?) AND (? = '' OR cluster = ?) ORDER BY id DESC",
            before, before, cluster, cluster,
        )  # fmt: skip
        found = (self._at_work.get(row["id"]) or _from_row(row) for row in rows)
        return [job for job in found if not state or job.state == state][:limit]

    def follow(self, job: Job, after: int = 0) -> AsyncIterator[tuple[int, str, str]]:
        """Number, kind and JSON of each event of a job after one, as they come."""
        return job.follow(after) if job.id in self._at_work else self._kept(job, after)

    async def cancel(self, job: Job) -> None:
        """End a job: hosts finish or abandon their step. Returns when it is over."""
        task = self._tasks.get(job.id)
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def close(self) -> None:
        """End all jobs cleanly; they count as cut off, because nobody asked for that."""
        for task in self._tasks.values():
            task.cancel("closing")
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    # A job at work

    async def _work(self, job: Job, request: Request, began: asyncio.Event) -> None:
        def on_begin(hosts: tuple[str, ...]) -> None:
            job.hosts = hosts
            self._take(job, request)
            job.state, job.started = "running", time.time()
            began.set()

        def on_event(event: events.Event) -> None:
            if isinstance(event, events.RunStarted):
                job.run = event.run
            job.tell(event.kind, json.dumps(events.to_json(event)))

        try:
            while True:
                try:
                    job.result = _as_json(await request.call(on_event=on_event, on_begin=on_begin))
                    job.state = "done" if (job.result or {}).get("exit_code", 0) == 0 else "failed"
                    return
                except _Taken:
                    # What it was asked for may be another thing when its turn comes, so then it begins anew.
                    job.state = "queued"
                    began.set()
                    await self._turn(job)
        except (UsageError, PlanError, Refused) as error:
            if not began.is_set():
                raise
            job.state, job.problem = "failed", of_error(error).model_dump()
        except (Interrupted, asyncio.CancelledError) as error:
            job.state = "cut off" if "closing" in error.args else "cancelled"
        except BrambleError as error:
            job.state, job.problem = "failed", of_error(error).model_dump()
        finally:
            began.set()

    def _take(self, job: Job, request: Request) -> None:
        ahead = self._waiting[: self._waiting.index(job)] if job in self._waiting else self._waiting
        others = [one for one in self._at_work.values() if one is not job and one.state == "running" and one.started]
        for other in (*others, *ahead):
            shared = set(other.hosts) & set(job.hosts)
            if shared and not request.wait:
                raise Refused(
                    409,
                    f"another job has {', '.join(sorted(shared))}: {other.verb} {other.service}".strip(),
                    hint=f"wait for it, or cancel it: /api/v1/jobs/{other.id}",
                    holder=other.id,
                )
            if shared:
                if job not in self._waiting:
                    self._waiting.append(job)
                raise _Taken
        if job in self._waiting:
            self._waiting.remove(job)

    async def _turn(self, job: Job) -> None:
        try:
            await self._freed.wait()
        except BaseException:
            self._waiting.remove(job)
            raise

    def _end(self, job: Job) -> None:
        job.ended = time.time()
        self._save(job)
        del self._at_work[job.id], self._tasks[job.id]
        job.stir()
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()

    # What is kept

    def _keep(self, job: Job, request: Request) -> None:
        with self._database.change() as change:
            change.execute(
                "INSERT INTO jobs (id, verb, cluster, service, arguments, secret, who, state, hosts, created, run)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (job.id, job.verb, job.cluster, job.service, json.dumps(job.arguments), job.secret, job.who, job.state,
                 json.dumps(job.hosts), job.created, job.run),
            )  # fmt: skip
            if request.key:
                change.execute(
                    "INSERT INTO job_keys VALUES (?,?,?,?,?)",
                    (request.who, request.key, request.body, job.id, time.time()),
                )

    def _save(self, job: Job) -> None:
        with self._database.change() as change:
            change.execute(
                "UPDATE jobs SET state=?, hosts=?, started=?, ended=?, run=?, result=?, problem=? WHERE id=?",
                (job.state, json.dumps(job.hosts), job.started, job.ended, job.run, json.dumps(job.result),
                 json.dumps(job.problem), job.id),
            )  # fmt: skip
            change.executemany(
                "INSERT OR IGNORE INTO job_events VALUES (?,?,?,?)",
                [(job.id, number, kind, data) for number, (kind, data) in enumerate(job.happened, 1)],
            )

    def _by_key(self, request: Request) -> Job | None:
        if not request.key:
            return None
        row = self._database.row("SELECT * FROM job_keys WHERE who = ? AND key = ?", request.who, request.key)
        if row is None:
            return None
        if row["request"] != request.body:
            raise Refused(
                422, "this idempotency key was used for something else", hint="take a new key for each request"
            )
        return self.get(row["job"])

    async def _kept(self, job: Job, after: int) -> AsyncIterator[tuple[int, str, str]]:
        query = "SELECT * FROM job_events WHERE job = ? AND number > ? ORDER BY number"
        for row in self._database.rows(query, job.id, after):
            yield row["number"], row["kind"], row["data"]


def _as_json(result: Any) -> Any:
    return result.to_json() if isinstance(result, Report) else jsonable_encoder(result)


def _from_row(row: sqlite3.Row) -> Job:
    state: State = row["state"] if row["state"] in OVER else "cut off"
    return Job(
        id=row["id"],
        verb=row["verb"],
        cluster=row["cluster"],
        service=row["service"],
        arguments=json.loads(row["arguments"]),
        secret=bool(row["secret"]),
        who=row["who"],
        state=state,
        hosts=tuple(json.loads(row["hosts"])),
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        run=row["run"],
        result=json.loads(row["result"] or "null"),
        problem=json.loads(row["problem"] or "null"),
    )
