"""The controller's end of `runner.backup`."""

from __future__ import annotations

from pathlib import Path

from ..exchange import ask, receive, refused, send
from ..session import Session, message


async def take(session: Session, argv: tuple[str, ...], out: Path) -> None:
    """Fetch what a command on a host wants to be kept, as a tar archive.

    Raises
    ------
    BrambleError
        The command failed, or the archive did not come whole.
    """
    channel = await session.beside("backup")
    try:
        await ask(channel, {"do": "take", "argv": argv})
        answer = await message(channel)
        if answer["kind"] == "step-failed":
            raise refused(answer, session.name)
        await receive(channel, answer["size"], out, session.name)
    finally:
        channel.close_input()


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
            await ask(channel, {"do": "lay", "size": size})
            await send(channel, file)
        answer = await message(channel)
        if answer["kind"] == "step-failed":
            raise refused(answer, session.name)
    finally:
        channel.close_input()
