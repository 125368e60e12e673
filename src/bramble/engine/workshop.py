"""A folder to work in, for one run at a time: two that fetch the same would be in each other's way."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

#: Seconds between two looks whether another run is through with what it fetches.
LOOK = 0.5


@contextlib.asynccontextmanager
async def workshop(folder: Path, waits: Callable[[], None]) -> AsyncIterator[None]:
    """Have a folder for this run alone, once no other has it.

    Afterwards it goes away, unless something named ``*.part`` is left in it: then the next run can go on with that.

    Parameters
    ----------
    folder
        It need not be there.
    waits
        Called, once, where another run has it.
    """
    told = False
    while (lock := claim(folder)) is None:
        if not told:
            told = True
            waits()
        await asyncio.sleep(LOOK)
    try:
        yield
    finally:
        _tidy(folder)
        os.close(lock)


def _tidy(folder: Path) -> None:
    if not any(folder.rglob("*.part")):
        shutil.rmtree(folder, ignore_errors=True)


def claim(folder: Path) -> int | None:
    """The folder, open, for this run alone until it is closed; None while another has it, or has just taken it away."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        lock = os.open(folder, os.O_RDONLY)
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_ino == folder.stat().st_ino:
                return lock
        os.close(lock)
    return None
