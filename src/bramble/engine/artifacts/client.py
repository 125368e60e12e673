"""Clients of others (Go, Maven), run so that what they say is heard at once, and none outlives us."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

#: Bytes of one line; Maven can write long ones.
LINE = 1 << 20


async def talk(
    words: Iterable[str], folder: Path, environment: Mapping[str, str], heard: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Run a client to its end; where the run is cancelled, it and all that it started ends first.

    Parameters
    ----------
    folder
        Where it works.
    heard
        Called with each line it writes, on either way, without its end.

    Returns
    -------
    tuple
        Its status, and all lines.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *words,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE,
            start_new_session=True,
        )
    )
    log: list[str] = []
    try:
        process = await asyncio.shield(starting)
        assert process.stdout
        async for line in process.stdout:
            log.append(line.decode(errors="replace").rstrip())
            heard(log[-1])
        status = await process.wait()
    finally:
        process = await starting  # an interrupt in this very moment must not leave it behind, either
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)  # compilers of its own run beside it
            await process.wait()
    return status, log
