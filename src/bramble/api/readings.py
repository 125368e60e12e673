"""Looks at all boards at once: how warm they are, how busy, and whether the firmware holds them back."""

from __future__ import annotations

from typing import TypeVar, Unpack

from ..connection import Connection
from ..engine.readings import Load, Temperature, Throttling
from .each import ask_each, in_words
from .reach import Reach

R = TypeVar("R", Temperature, Load, Throttling)

#: Seconds a host may take for a reading: a loaded Zero swaps before it answers.
_PATIENCE = 30.0


async def temperature(**reach: Unpack[Reach]) -> tuple[Temperature, ...]:
    """How warm each board is, and how fast it runs."""
    return await _readings(Temperature, reach)


async def load(**reach: Unpack[Reach]) -> tuple[Load, ...]:
    """How busy each host is: processors, memory, disk, and for how long it has been on."""
    return await _readings(Load, reach)


async def throttled(**reach: Unpack[Reach]) -> tuple[Throttling, ...]:
    """Whether the firmware holds a board back, now or at some time since it was switched on: power, heat."""
    return await _readings(Throttling, reach)


async def _readings(kind: type[R], reach: Reach) -> tuple[R, ...]:
    async def look(connection: Connection) -> R:
        # Through a shell of its own: the user's may be one that does not know these words.
        done = await connection.run(["sh", "-c", kind.script], timeout=_PATIENCE)
        return kind.parse(connection.host.name, done.stdout.decode(errors="replace"))

    return await ask_each(reach, look, lambda host, error: kind(host=host, error=in_words(error)))
