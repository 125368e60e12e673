"""All jobs: begun, so many at once and one at a time on each host, followed, cancelled, kept."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import secrets
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi.encoders import jsonable_encoder

from ...engine.report import Report
from ...errors import BrambleError, Interrupted, NotThere, PlanError, UsageError
from ...runner import events
from ..database import Database
from ..problem import Refused, as_json, of_error
from .job import Happening, Job, State
from .kept import Kept, Wanted
from .request import Request

#: So many jobs are at work at once, where nothing else is asked for: each has a connection to every host of it.
AT_ONCE = 8

#: Seconds a verb has to say that it was asked for something impossible, before it counts as begun.
_GRACE = 0.25

#: Seconds for which events are collected before they are written down: a service that is killed loses no more.
_COLLECT = 0.5

#: So many events of a job that is over are read at once.
_BATCH = 256

_log = logging.getLogger(__name__)


class _Taken(Exception):
    """It is not yet this job's turn."""


class Jobs:
    """The jobs of this service.

    Parameters
    ----------
    at_once
        So many are at work at the same time; others wait.
    """

    def __init__(self, database: Database, *, at_once: int = AT_ONCE) -> None:
        self.at_once = at_once
        self._kept = Kept(database)
        self._at_work: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[State]] = {}
        self._waiting: list[Job] = []
        self._freed = asyncio.Event()
        self._saving: set[str] = set()
        self._closing = False
        self._locks: weakref.WeakValueDictionary[tuple[str, str], asyncio.Lock] = weakref.WeakValueDictionary()

    async def submit(self, request: Request) -> Job:
        """Begin a job.

        Raises
        ------
        UsageError, PlanError
            What was asked for is impossible; there is no job.
        Refused
            Another job has a host of it, and it was not to wait; or the key was used for something else.
        """
        if not request.key:
            return await self._begin(request)
        fingerprint = await asyncio.to_thread(request.fingerprint)
        # The same, asked for twice at the same moment, is one job.
        async with self._locks.setdefault((request.who, request.key), asyncio.Lock()):
            known = self._kept.by_key(request.who, request.key)
            if known is None:
                return await self._begin(request, fingerprint)
            if known[1] != fingerprint:
                raise Refused(
                    422, "this idempotency key was used for something else", hint="take a new key for each request"
                )
            return self.get(known[0])

    def get(self, id: str) -> Job:
        """A job, by its id.

        Raises
        ------
        NotThere
            There is none.
        """
        found = self._at_work.get(id) or self._kept.get(id)
        if found is None:
            raise NotThere(f"there is no job {id!r}", hint="GET /api/v1/jobs")
        return found

    def all(self, wanted: Wanted = Wanted()) -> list[Job]:  # noqa: B008 — it is frozen
        """Jobs, newest first."""
        found = {job.id: job for job in self._kept.find(wanted)}
        found |= {job.id: job for job in self._at_work.values() if wanted.fits(job)}
        return sorted(found.values(), key=lambda job: job.id, reverse=True)[: wanted.limit]

    def arguments(self, since: float) -> list[str]:
        """What jobs were given, as JSON: of all that are not over, and of those that were so at a moment."""
        unfinished = [json.dumps(job.arguments) for job in self._at_work.values()]
        return unfinished + self._kept.arguments(since)

    async def follow(self, job: Job, after: int = 0) -> AsyncIterator[list[Happening]]:
        """The events of a job after one, some at a time, as they come; none where nothing came for long."""
        if job.happened or not job.over:
            async for some in job.follow(after):
                yield some
            return
        while some := self._kept.events(job, after, _BATCH):
            yield some
            after = some[-1].number

    async def ended(self, job: Job, within: float) -> bool:
        """Whether a job ends in so many seconds."""
        task = self._tasks.get(job.id)
        if task is not None:
            await asyncio.wait((task,), timeout=within)
        return job.over

    def cancel(self, job: Job, who: str) -> None:
        """Have a job end: its hosts finish or abandon their step."""
        task = self._tasks.get(job.id)
        # Once: a second time would be the impatient one, which leaves hosts as they are.
        if task is not None and not job.cancelled_by:
            job.cancelled_by = who
            task.cancel()

    async def close(self) -> None:
        """End all jobs cleanly; they count as cut off, because nobody asked for that."""
        self._closing = True
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _begin(self, request: Request, fingerprint: str = "") -> Job:
        job = Job(
            # Sorted by time at a glance, in a time that never goes back, and nobody guesses the next.
            id=f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}",
            verb=request.verb,
            cluster=request.cluster,
            service=request.service,
            arguments=request.arguments,
            secrets=tuple(sorted(request.secrets)),
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
            self._forget(job)
            await task
        began.set()
        self._kept.add(job, request.key, fingerprint)
        task.add_done_callback(functools.partial(self._end, job))
        return job

    async def _work(self, job: Job, request: Request, began: asyncio.Event) -> State:
        """How it ended; what is impossible is raised, as long as nobody was told that it begins."""
        on_event = self._teller(job, request)

        def on_begin(hosts: tuple[str, ...]) -> None:
            self._take(job, request, hosts)
            began.set()

        try:
            while True:
                try:
                    self._take(job, request, ())
                    found = await request.call(on_event=on_event, on_begin=on_begin)
                    job.result = _as_json(found, request.area)
                    return "done" if getattr(found, "ok", True) else "failed"
                except _Taken as taken:
                    # What it was asked for may be another thing when its turn comes, so then it begins anew.
                    began.set()
                    on_event(events.Note(text=str(taken)))
                    await self._turn(job)
        except (Interrupted, asyncio.CancelledError):
            return "cancelled" if job.cancelled_by else "cut off"
        except Exception as error:
            if not began.is_set() and isinstance(error, UsageError | PlanError | Refused):
                _hide_in(error, request.area)
                raise
            if not isinstance(error, BrambleError):
                _log.exception("job %s", job.id)
                error = BrambleError("the service has a fault", hint="its log tells more")
            job.problem = json.loads(_hidden(json.dumps(as_json(of_error(error))), request.area))
            return "failed"

    def _teller(self, job: Job, request: Request) -> Callable[[events.Event], None]:
        loop, here = asyncio.get_running_loop(), threading.get_ident()

        def note(event: events.Event) -> None:
            if isinstance(event, events.RunStarted):
                job.run = event.run
            job.tell(event, _hidden(json.dumps(events.to_json(event)), request.area))
            self._save_soon(job)

        def tell(event: events.Event) -> None:
            if threading.get_ident() == here:
                note(event)
            else:
                loop.call_soon_threadsafe(note, event)

        return tell

    # Whose turn it is

    def _take(self, job: Job, request: Request, hosts: tuple[str, ...]) -> None:
        """Take a place at work, and hosts as soon as they are known."""
        job.hosts = hosts or job.hosts
        running = [one for one in self._at_work.values() if one is not job and one.state == "running"]
        ahead = self._waiting[: self._waiting.index(job)] if job in self._waiting else self._waiting
        having = [one for one in (*running, *ahead) if set(one.hosts) & set(job.hosts)]
        if having or len(running) >= self.at_once:
            holder = (having or running)[0]
            shared = [host for host in job.hosts if host in holder.hosts] if having else []
            what = f"another job has {', '.join(shared)}" if shared else f"{len(running)} jobs are at work already"
            what += f": {' '.join(filter(None, (holder.verb, holder.service)))}, asked for by {holder.who}"
            if not request.wait:
                hint = f"wait for it, or cancel it: {holder.to_json()['links']['self']}"
                raise Refused(409, what, hint=hint, holder=holder.id)
            if job not in self._waiting:
                self._waiting.append(job)
            job.state, job.started = "queued", None
            raise _Taken(f"waits: {what}")
        if hosts and job in self._waiting:  # until then, it keeps its place among those who want the same ones
            self._waiting.remove(job)
        if job.state != "running":
            job.state, job.started = "running", time.time()
            self._save_soon(job)

    async def _turn(self, job: Job) -> None:
        try:
            await self._freed.wait()
        except BaseException:
            self._waiting.remove(job)
            raise

    def _end(self, job: Job, task: asyncio.Task[State]) -> None:
        job.state, job.ended = task.result(), time.time()
        self._forget(job)
        try:
            self._kept.save(job)
            self._kept.prune()
        except BrambleError:
            _log.exception("job %s ended, and that could not be written down", job.id)
        job.stir()

    def _forget(self, job: Job) -> None:
        del self._at_work[job.id], self._tasks[job.id]
        if job in self._waiting:
            self._waiting.remove(job)
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()

    def _save_soon(self, job: Job) -> None:
        if job.id not in self._saving:
            self._saving.add(job.id)
            asyncio.get_running_loop().call_later(_COLLECT, self._save, job)

    def _save(self, job: Job) -> None:
        self._saving.discard(job.id)
        if job.id in self._at_work:
            try:
                self._kept.save(job)
            except BrambleError:
                _log.exception("what happens in job %s cannot be written down", job.id)


def _as_json(found: object, area: str) -> Any:
    plain = found.to_json() if isinstance(found, Report) else jsonable_encoder(found)
    return json.loads(_hidden(json.dumps(plain), area))


def _hidden(text: str, area: str) -> str:
    """JSON without the path of the service's files."""
    return text.replace(json.dumps(area)[1:-1] + "/", "") if area else text


def _hide_in(error: BrambleError, area: str) -> None:
    """Have an error not tell the path of the service's files."""
    if area:
        for name in ("what", "why", "hint"):
            setattr(error, name, getattr(error, name).replace(f"{area}/", ""))
