"""Brings the files of a verb to a service, and home from it; nothing of them stays there."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import httpx

from ..api import OnEvent
from ..engine import packed
from ..errors import BrambleError, Interrupted, NotThere, UsageError
from ..runner import events
from .luggage import STDIN, Download, Luggage, Upload
from .wire import PREFIX, Wire

#: Where the files of callers are.
_FILES = f"{PREFIX}/files"

#: Bytes that are sent at a time.
_CHUNK = 256 * 1024

#: Seconds: a service packs and unpacks folders before it answers, on a slow card perhaps.
_TIMEOUT = httpx.Timeout(60, connect=10, read=1800)

#: Seconds for tidying up there; who pressed Ctrl-C does not wait for long.
_TIDYING = 10

_log = logging.getLogger(__name__)


class Carrier:
    """The files of one call.

    Parameters
    ----------
    luggage
        What they are.
    on_event
        Takes the events of the verb.
    """

    def __init__(self, wire: Wire, client: httpx.AsyncClient, luggage: Luggage, on_event: OnEvent | None) -> None:
        self._wire, self._client, self._luggage, self._on_event = wire, client, luggage, on_event

    @property
    def on_event(self) -> OnEvent | None:
        """Takes events from there, and tells of files as they are called here."""
        tell = self._on_event
        if tell is None or not self._luggage.called:
            return tell
        return lambda event: tell(events.from_json(self._luggage.told(events.to_json(event))))

    @asynccontextmanager
    async def there(self, role: str) -> AsyncIterator[None]:
        """For as long as the verb is at work, its files are there.

        Parameters
        ----------
        role
            Who may ask for the verb.

        Raises
        ------
        BrambleError
            What the service says of the files or, in the words of here, of the verb.
        """
        luggage = self._luggage
        names = [*(one.name for one in luggage.up), *((luggage.down.name,) if luggage.down else ())]
        if not names:
            yield
            return
        await self._require("admin" if luggage.down else role, names[0])
        try:
            for upload in luggage.up:
                await self._send(upload)
            yield
        except asyncio.CancelledError:
            raise Interrupted("interrupted while files were on their way") from None
        except BrambleError as error:
            error.what, error.why, error.hint = map(luggage.told, (error.what, error.why, error.hint))
            raise
        finally:
            await self._tidy(names)

    async def home(self, result: Any) -> Any:
        """Bring home what the verb made; returns its result with files called as they are here.

        Raises
        ------
        BrambleError
            It cannot be had from there, or not be written here.
        """
        luggage = self._luggage
        if luggage.down is not None:
            await self._bring(luggage.down)
        if luggage.left_out:
            result["data"] = {**result.get("data", {}), "left_out": list(luggage.left_out)}
        return luggage.told(result)

    async def _require(self, role: str, name: str) -> None:
        """Be refused now, not when everything went over."""
        try:
            # There is nothing of this name yet; but that is told to an admin alone.
            await self._wire.ask(self._client, "GET", f"{_FILES}/{name}" if role == "admin" else _FILES)
        except NotThere:
            pass
        except UsageError as error:
            if self._luggage.down and not error.hint:
                error.why = error.why or self._luggage.down.guarded
                error.hint = "ask an admin to run the same; nothing was done"
            raise

    # There

    async def _send(self, upload: Upload) -> None:
        params = {"unpack": "true"} if upload.pack else {}
        sent = False

        async def attempt() -> httpx.Response:
            nonlocal sent
            if sent and upload.file == STDIN:
                raise BrambleError("the connection was cut, and standard input comes only once", hint="run it again")
            sent = True
            async with aclosing(_packed(upload.pack) if upload.pack else _pieces(upload.file)) as pieces:
                answer = await self._client.put(
                    f"{_FILES}/{upload.name}", params=params, content=pieces, timeout=_TIMEOUT
                )
            return self._wire.checked(answer)

        await self._wire.patiently(attempt)

    async def _tidy(self, names: list[str]) -> None:
        for name in names:
            try:
                async with asyncio.timeout(_TIDYING):
                    await self._wire.ask(self._client, "DELETE", f"{_FILES}/{name}")
            except NotThere:
                pass
            except (BrambleError, TimeoutError) as error:
                why = error.what if isinstance(error, BrambleError) else "it did not answer in time"
                text = f"{name} stays among the files of {self._wire.name}: {why}"
                if self._on_event is not None:
                    self._on_event(events.Note(text=text))
                else:
                    _log.warning(text)

    # Here

    async def _bring(self, down: Download) -> None:
        try:
            if down.folder:
                down.to.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=down.to) as archive:
                    await self._receive(down.name, archive)
                    await asyncio.to_thread(packed.unpack, archive, down.to, self._wire.name, within=down.name)
            else:
                await self._receive_file(down)
        except NotThere:
            pass  # nothing was made: the report says why
        except OSError as error:
            raise BrambleError(f"{error.filename or down.to} cannot be written", why=error.strerror or "") from None

    async def _receive_file(self, down: Download) -> None:
        part = down.to.with_name(f".{down.to.name}.part-{os.getpid()}")
        try:
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, down.mode), "w+b") as file:
                await self._receive(down.name, file)
                await asyncio.to_thread(os.fsync, file.fileno())
            if down.to.exists():
                raise UsageError(f"{down.to} is there already", hint="choose another name")
            part.replace(down.to)
        finally:
            part.unlink(missing_ok=True)

    async def _receive(self, name: str, file: IO[bytes]) -> None:
        async def attempt() -> None:
            file.seek(0)
            file.truncate()
            async with self._client.stream("GET", f"{_FILES}/{name}", timeout=_TIMEOUT) as answer:
                if not answer.is_success:
                    await answer.aread()
                    self._wire.checked(answer)
                async for data in answer.aiter_bytes(_CHUNK):
                    file.write(data)

        await self._wire.patiently(attempt)
        file.seek(0)


async def _pieces(file: str) -> AsyncGenerator[bytes, None]:
    """What a file, or standard input, has."""
    try:
        with nullcontext(sys.stdin.buffer) if file == STDIN else Path(file).open("rb") as source:  # noqa: ASYNC230
            while data := await asyncio.to_thread(source.read, _CHUNK):
                yield data
    except OSError as error:
        raise UsageError(f"{file} cannot be read", why=error.strerror or str(error)) from None


async def _packed(pack: Callable[[IO[bytes]], None]) -> AsyncGenerator[bytes, None]:
    """What is packed, while it is packed; what goes wrong with that ends it."""
    reading, writing = os.pipe()

    def work() -> None:
        with os.fdopen(writing, "wb") as out:
            pack(out)

    reader = asyncio.StreamReader(_CHUNK)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb"))
    packing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        while data := await reader.read(_CHUNK):
            yield data
        await packing
    finally:
        transport.close()  # which ends the packing, where it has not come to its end
        await asyncio.gather(packing, return_exceptions=True)
