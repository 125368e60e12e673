"""One job, and what happened in it so far."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from fastapi.sse import format_sse_event

from ...runner import events
from ..routes import PREFIX

#: ``queued``: another job holds a host of it, or too many are at work. ``done``, ``failed`` and ``cancelled`` are how
#: it ended; ``cut off``: the service was stopped in the middle of it.
State = Literal["queued", "running", "done", "failed", "cancelled", "cut off"]

#: States that a job does not leave.
OVER: tuple[State, ...] = ("done", "failed", "cancelled", "cut off")

#: Seconds of silence after which those who follow are told that there is still somebody.
KEEP_ALIVE = 15.0

#: So many events are sent at once: enough that many cost little, and few enough that a slow watcher holds little.
_BATCH = 64

_ALIVE = format_sse_event(comment="still here")


@dataclass(frozen=True)
class Happening:
    """One event of a job, as those who follow get it."""

    number: int
    kind: str
    data: str
    kept: bool = True

    @cached_property
    def frame(self) -> bytes:
        """As a server-sent event; made once, however many follow."""
        return format_sse_event(data_str=self.data, event=self.kind, id=str(self.number))


@dataclass(kw_only=True, eq=False)
class Job:
    """A verb at work for somebody.

    Attributes
    ----------
    id
        Sorted by time.
    verb, cluster, service
        What it does, to what.
    arguments
        All that the verb was given, but secrets.
    secrets
        Names of the secrets that it was given, which must be given again to run it again.
    who
        The user who asked.
    hosts
        Those of the run; while it is at work, no other job has them.
    created, started, ended
        Seconds since the epoch; None for what was not yet, or what nobody knows.
    run
        Its id in the history.
    cancelled_by
        The user who cancelled it.
    result
        What the verb returned, as JSON: a report or what was read.
    problem
        The error that ended it, as JSON.
    happened
        Its events, from number 1 on; of jobs of this process alone.
    saved
        How many of them are in the database.
    """

    id: str
    verb: str
    cluster: str = ""
    service: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    who: str = ""
    state: State = "queued"
    hosts: tuple[str, ...] = ()
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    run: str = ""
    cancelled_by: str = ""
    result: Any = None
    problem: dict[str, Any] | None = None
    happened: list[Happening] = field(default_factory=list, repr=False)
    saved: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing more happens in it."""
        return self.state in OVER

    def to_json(self) -> dict[str, Any]:
        """What a caller sees."""
        hidden = {"happened", "saved", "news"}
        links = {"self": f"{PREFIX}/jobs/{self.id}", "events": f"{PREFIX}/jobs/{self.id}/events"}
        if self.run:
            links["run"] = f"{PREFIX}/runs/{self.run}"
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in hidden} | {
            "links": links
        }

    def tell(self, event: events.Event, data: str) -> None:
        """Note what happened, and wake who follows."""
        self.happened.append(Happening(len(self.happened) + 1, event.kind, data, kept=_is_kept(event)))
        self.stir()

    def stir(self) -> None:
        """Wake who follows."""
        news, self.news = self.news, asyncio.Event()
        news.set()

    async def follow(self, after: int = 0) -> AsyncIterator[list[Happening]]:
        """The events after one, some at a time, as they come; none where nothing came for long. Ends with the job."""
        while True:
            news = self.news
            while after < len(self.happened):
                some = self.happened[after : after + _BATCH]
                after += len(some)
                yield some
            if self.over:
                return
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    await news.wait()
            except TimeoutError:
                yield []


def frames(some: list[Happening]) -> bytes:
    """These events as server-sent ones; without any, a comment that keeps the connection alive."""
    return b"".join(one.frame for one in some) if some else _ALIVE


def last_frame(job: Job) -> bytes:
    """What follows the events of a job that is over: the job itself."""
    return format_sse_event(data_str=json.dumps(job.to_json()), event="end")


def _is_kept(event: events.Event) -> bool:
    """Whether an event is of use when the job is over: not those that only tell how far something is."""
    return not isinstance(event, events.StepProgress | events.CardProgress | events.ImageProgress)
