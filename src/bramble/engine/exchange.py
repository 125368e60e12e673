"""What is asked of parts of the runner beside the loop: a request, its answer, and bytes that follow either."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

from ..connection import Channel
from ..errors import BrambleError

#: Bytes that are sent at a time.
CHUNK = 1 << 18


async def ask(channel: Channel, request: dict[str, Any]) -> None:
    """Send a request."""
    await channel.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")


async def send(channel: Channel, file: IO[bytes]) -> None:
    """Send the rest of a file."""
    while data := file.read(CHUNK):
        await channel.write(data)


async def receive(channel: Channel, size: int, out: Path, host: str) -> None:
    """Write the bytes that follow an answer into a file.

    Raises
    ------
    BrambleError
        They ended before ``size``.
    """
    with out.open("wb") as file:
        while size and (data := await channel.read(min(CHUNK, size))):
            file.write(data)
            size -= len(data)
    if size:
        raise BrambleError("what was sent back did not arrive whole", host=host or None, hint="run the same again")


def refused(answer: dict[str, Any], host: str) -> BrambleError:
    """What went wrong there, by a ``step-failed``; with the end of what was said."""
    why = "\n".join(answer["log"]) or answer["why"]
    return BrambleError(answer["what"], host=host or None, why=why, hint=answer["hint"])
