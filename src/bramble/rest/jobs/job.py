"""One job, and what happened in it so far."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ...runner import events

#: ``queued``: another job holds a host of it. ``done``, ``failed`` and ``cancelled`` are how it ended; ``cut off``: the
#: service was stopped in the middle of it.
State = Literal["queued", "running", "done", "failed", "cancelled", "cut off"]

#: States that a job does not leave.
OVER: tuple[State, ...] = ("done", "failed", "cancelled", "cut off")


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
    secret
        Whether there were secrets, which must be given again to run it again.
    who
        The user who asked.
    hosts
        Those of the run; while it is at work, no other job has them.
    created, started, ended
        Seconds since the epoch; None for what was not yet.
    run
        Its id in the history.
    result
        What the verb returned, as JSON: a report or what was read.
    problem
        The error that ended it, as JSON.
    happened
        Its events, as JSON text with their kind, from number 1 on; of jobs of this process alone.
    """

    id: str
    verb: str
    cluster: str = ""
    service: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    secret: bool = False
    who: str = ""
    state: State = "running"
    hosts: tuple[str, ...] = ()
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    run: str = ""
    result: Any = None
    problem: dict[str, Any] | None = None
    happened: list[tuple[str, str]] = field(default_factory=list, repr=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing more happens in it."""
        return self.state in OVER

    def to_json(self) -> dict[str, Any]:
        """What a caller sees."""
        hidden = {"happened", "_news", "secret"}
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in hidden}

    def tell(self, kind: str, text: str) -> None:
        """Note what happened, and wake who follows."""
        self.happened.append((kind, text))
        self.stir()

    def stir(self) -> None:
        """Wake who follows."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def follow(self, after: int = 0) -> AsyncIterator[tuple[int, str, str]]:
        """Number, kind and JSON of each event after one, as they come; ends when the job is over."""
        while True:
            news = self._news
            while after < len(self.happened):
                after += 1
                yield after, *self.happened[after - 1]
            if self.over:
                return
            await news.wait()


def kept(event: events.Event) -> bool:
    """Whether an event is kept when the job is over: not those that only tell how far something is."""
    return not isinstance(event, events.StepProgress | events.CardProgress | events.ImageProgress)
