"""The controller's end of `runner.building`: on this machine, or on a host."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...connection import Channel
from ..exchange import ask, receive, refused, send
from ..session import message
from .context import pack

#: Opens a channel to a new process of `runner.building`.
Opener = Callable[[], Any]


class Builder:
    """A machine that builds images.

    Parameters
    ----------
    host
        Its name; empty for the controller itself.
    open_channel
        Starts `runner.building` there.
    """

    def __init__(self, host: str, open_channel: Opener) -> None:
        self.host = host
        self.program = ""
        self.architecture = ""
        self._open = open_channel

    async def look(self) -> bool:
        """Whether there is a program to build with; `program` is its name then."""
        channel = await self._open()
        try:
            await ask(channel, {"do": "find"})
            answer = await message(channel)
        finally:
            await _end(channel)
        self.program, self.architecture = answer["builder"], answer["architecture"]
        return bool(self.program)

    async def build(
        self,
        folder: Path,
        file: str,
        name: str,
        architecture: str,
        arguments: Mapping[str, str],
        out: Path,
        *,
        fresh: bool,
        tell: Callable[[str], None],
    ) -> None:
        """Build an image for one architecture.

        Parameters
        ----------
        folder, file
            What is built from, absolute; the text of the Containerfile.
        name
            By which the builder keeps it for the next build.
        out
            Where its archive is written.
        fresh
            Use nothing of an earlier build.
        tell
            Takes every line that the builder says.

        Raises
        ------
        BrambleError
            It failed; with the end of what the builder said.
        """
        request = {
            "do": "build",
            "builder": self.program,
            "file": file,
            "architecture": architecture,
            "arguments": dict(arguments),
            "name": name,
            "fresh": fresh,
        }
        channel = await self._open()
        try:
            if not self.host:
                await ask(channel, {**request, "folder": str(folder)})
            else:
                await self._send(channel, request, folder, out.parent, tell)
            await self._receive(channel, out, tell)
        finally:
            await _end(channel)

    async def _send(
        self, channel: Channel, request: dict[str, Any], folder: Path, work: Path, tell: Callable[[str], None]
    ) -> None:
        with tempfile.NamedTemporaryFile(dir=work, suffix=".context") as packed:
            await asyncio.to_thread(pack, folder, packed)
            size = packed.tell()
            packed.seek(0)
            tell(f"{size / 1e6:.1f} MB go to {self.host}")
            await ask(channel, {**request, "size": size})
            await send(channel, packed)

    async def _receive(self, channel: Channel, out: Path, tell: Callable[[str], None]) -> None:
        while True:
            answer = await message(channel)
            if answer["kind"] == "said":
                tell(answer["text"])
            elif answer["kind"] == "step-failed":
                raise refused(answer, self.host)
            else:
                break
        await receive(channel, answer["size"], out, self.host)


async def _end(channel: Channel) -> None:
    """End its input: what still runs ends by that."""
    channel.close_input()
