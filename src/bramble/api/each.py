"""The same on every host at once, over a connection each; one that fails does not stop the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from ..connection import Connection, connect
from ..errors import HostError
from ..runner import events
from .job import Job
from .reach import Reach, resolve, settings

T = TypeVar("T")

#: What is done with a host.
Work = Callable[[Connection], Awaitable[T]]


async def on_each(at_work: Job, reach: Reach, work: Work[T], hosts: Iterable[str] | None = None) -> dict[str, T]:
    """Do it on all hosts of a run, or on those named, and collect what came of it.

    Ctrl-C breaks it off at once: what runs there loses its connection.

    Returns
    -------
    Host → result, in the cluster's order, of those where it went well. The others have failed in the run.

    Raises
    ------
    Interrupted
        It was broken off.
    """
    how = settings(reach)
    found: dict[str, T] = {}

    async def one(name: str) -> None:
        try:
            began = time.monotonic()
            at_work.emit(events.HostConnecting(host=name))
            async with await connect(at_work.cluster.host(name), how) as connection:
                at_work.emit(events.HostConnected(host=name, seconds=time.monotonic() - began))
                found[name] = await work(connection)
        except HostError as error:
            at_work.run.fail(name, error)

    async def everyone() -> None:
        await asyncio.gather(*(one(name) for name in at_work.cluster.hostset if hosts is None or name in hosts))

    await at_work.run.here(everyone(), "while hosts were at work; what they did was broken off")
    return {name: found[name] for name in at_work.cluster.hostset if name in found}


async def ask_each(reach: Reach, work: Work[T], failed: Callable[[str, HostError], T]) -> tuple[T, ...]:
    """Look at all hosts, as no run of its own and without a word in the history: what they say, in their order.

    Parameters
    ----------
    failed
        What stands for a host that could not be asked.
    """
    cluster = resolve(reach)
    how = settings(reach)

    async def one(name: str) -> T:
        try:
            async with await connect(cluster.host(name), how) as connection:
                return await work(connection)
        except HostError as error:
            return failed(name, error)

    return tuple(await asyncio.gather(*(one(host.name) for host in cluster.hosts)))


def in_words(error: HostError) -> str:
    """An error as one line of a table's remarks, with what to do about it."""
    text = f"{error.what}: {error.why}" if error.why else error.what
    return f"{text} ({error.hint})" if error.hint else text
