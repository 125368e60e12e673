"""The controller's end of `runner.transfer` on one host."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from ...connection import Channel
from ...errors import ConnectionLost, HostError
from ..session import BEAT, Session, message
from .store import Store, Stored

#: Seconds without a word after which a transfer is given up.
PATIENCE = 60.0

#: Bytes that are sent at a time.
CHUNK = 1 << 18


class Courier:
    """Brings artifacts to one host and lets others fetch them there."""

    def __init__(self, host: str, channel: Channel) -> None:
        self.host = host
        self.port = 0
        self._channel = channel
        self._writing = asyncio.Lock()
        self._beating = asyncio.create_task(self._beat())

    @classmethod
    async def open(cls, session: Session) -> Courier:
        """Start it beside a session, over the same connection."""
        return cls(session.name, await session.beside("transfer"))

    async def look(self, wanted: list[Stored]) -> tuple[dict[str, int], int, list[str]]:
        """How many bytes of each are there, by hash, how many are free, and what was thrown away and why."""
        asked = [{"sha256": one.sha256, "size": one.size} for one in wanted]
        answer = await self._ask({"do": "look", "artifacts": asked})
        return answer["have"], answer["free"], answer["damaged"]

    async def serve(self, token: str) -> None:
        """Let hosts that know the token fetch from this one, at `port`."""
        self.port = (await self._ask({"do": "serve", "token": token}))["port"]

    async def pull(self, one: Stored, sources: list[tuple[str, int]], token: str, tell: Callable[[int], None]) -> bool:
        """Fetch an artifact from other hosts; whether it came."""
        request = {"do": "pull", "sha256": one.sha256, "size": one.size, "sources": sources, "token": token}
        return bool((await self._ask(request, tell))["kind"] == "pulled")

    async def push(self, one: Stored, store: Store, tell: Callable[[int], None]) -> None:
        """Send an artifact from here, from where an earlier try ended."""
        async with self._writing:  # nothing else may come between the bytes
            await self._write({"do": "push", "sha256": one.sha256, "size": one.size})
            offset = (await self._answer(None))["offset"]
            with store.path(one.sha256).open("rb") as file:
                file.seek(offset)
                while data := await asyncio.to_thread(file.read, CHUNK):
                    await self._channel.write(data)
        await self._answer(tell)

    async def tidy(self) -> None:
        """Take away what was brought: what was wanted is in its place by then."""
        await self._ask({"do": "tidy"})

    async def close(self) -> None:
        """End it. What was brought stays for another try."""
        self._beating.cancel()
        self._channel.close_input()
        try:
            async with asyncio.timeout(5):
                await self._channel.wait()
        except (TimeoutError, HostError):
            self._channel.kill()

    async def _beat(self) -> None:
        with contextlib.suppress(HostError):  # whoever waits for an answer is told of a host that is gone
            while True:
                await asyncio.sleep(BEAT)
                async with self._writing:
                    await self._write({"do": "alive"})

    async def _ask(self, request: dict[str, Any], tell: Callable[[int], None] | None = None) -> dict[str, Any]:
        async with self._writing:
            await self._write(request)
        return await self._answer(tell)

    async def _write(self, request: dict[str, Any]) -> None:
        await self._channel.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")

    async def _answer(self, tell: Callable[[int], None] | None) -> dict[str, Any]:
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await message(self._channel)
            except TimeoutError:
                raise ConnectionLost(f"no byte of an artifact came for {PATIENCE:.0f} s", host=self.host) from None
            if answer["kind"] == "transfer":
                if tell is not None:
                    tell(answer["arrived"])
                continue
            if answer["kind"] == "step-failed":
                raise HostError(answer["what"], host=self.host, why=answer["why"], hint=answer["hint"])
            return answer
