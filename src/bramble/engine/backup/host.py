"""The controller's end of `runner.backup`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...errors import BrambleError
from ..session import Session, message

#: Bytes that are sent at a time.
CHUNK = 1 << 18


async def take(session: Session, argv: tuple[str, ...], out: Path) -> None:
    """Fetch what a command on a host wants to be kept, as a tar archive.

    Raises
    ------
    BrambleError
        The command failed, or the archive did not come whole.
    """
    channel = await session.beside("backup")
    try:
        await channel.write(json.dumps({"do": "take", "argv": argv}).encode() + b"\n")
        left = _told(session, await message(channel))["size"]
        with out.open("wb") as file:
            while left and (data := await channel.read(min(CHUNK, left))):
                file.write(data)
                left -= len(data)
    finally:
        channel.close_input()
    if left:
        raise BrambleError("what is to be kept did not arrive whole", host=session.name, hint="run the same again")


async def lay(session: Session, content: Path) -> None:
    """Bring such an archive to a host.

    Raises
    ------
    BrambleError
        The host could not take it, as when its disk is full.
    """
    channel = await session.beside("backup")
    try:
        with content.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            await channel.write(json.dumps({"do": "lay", "size": size}).encode() + b"\n")
            while data := file.read(CHUNK):
                await channel.write(data)
        _told(session, await message(channel))
    finally:
        channel.close_input()


def _told(session: Session, answer: dict[str, Any]) -> dict[str, Any]:
    if answer["kind"] == "step-failed":
        why = "\n".join(answer["log"]) or answer["why"]
        raise BrambleError(answer["what"], host=session.name, why=why, hint=answer["hint"])
    return answer
