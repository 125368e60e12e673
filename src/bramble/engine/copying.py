"""The controller's end of `runner.copying`: files to a host, and from it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..connection import Channel, Connection
from ..errors import ConnectionLost, StepFailed, UsageError
from ..runner.copying import BROKEN, CHUNK, END, SIZE, told
from ..runner.copying.found import Entry, Found, find
from ..runner.copying.placer import Placer
from ..runner.dataclass import asdict
from ..runner.secret import Secret
from ..runner.step import StepError
from .exchange import ask
from .session import message, start

#: Called with bytes that have gone over so far, and all that will.
Tell = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What came of a copy to one host.

    Attributes
    ----------
    folder
        Where it is.
    changed, unchanged
        How many files, folders and links were not as they are now, and how many were.
    size
        Bytes that went over.
    """

    host: str
    folder: str
    changed: int
    unchanged: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came from one host.

    Attributes
    ----------
    folder
        Where it is here.
    files, size
        How many, and their bytes.
    digest
        A hash of names, kinds, permissions and contents: equal where two hosts sent the same.
    left_out
        Sockets, devices and pipes, which cannot be copied.
    """

    host: str
    folder: str
    files: int
    size: int
    digest: str
    left_out: tuple[str, ...] = ()


def gather(paths: Sequence[str], *, hashed: bool = True) -> tuple[list[Found], list[str]]:
    """What is to be copied, and what is left out of it.

    Parameters
    ----------
    hashed
        Read it once, to tell the hashes.

    Raises
    ------
    UsageError
        It cannot be read, or two things have the same name.
    """
    names: dict[str, str] = {}
    for path in paths:
        name = Path(path).absolute().name
        if name in names:
            raise UsageError(f"{names[name]} and {path} are both called {name}", hint="copy one after the other")
        names[name] = path
    try:
        return find(list(paths), hashed=hashed)
    except (StepError, OSError) as error:
        problem = told(error)
        raise UsageError(problem["what"], why=problem["why"]) from None


async def place(
    connection: Connection,
    found: Sequence[Found],
    to: str,
    *,
    owner: str = "",
    mode: str = "",
    sudo: bool = False,
    password: Secret | None = None,
    tell: Tell,
) -> Placed:
    """Bring files to a host; those that are there already do not go over again.

    Raises
    ------
    HostError
        The host cannot take them; says why.
    """
    host = connection.host.name
    channel, _ = await start(connection, "copying", sudo=sudo, password=password)
    try:
        entries = [asdict(one.entry) for one in found]
        await ask(channel, {"do": "place", "to": to, "owner": owner, "mode": mode, "entries": entries})
        numbers = (await _answer(channel, host))["numbers"]
        whole = sum(found[number].entry.size for number in numbers)
        sent = 0
        try:
            for number in numbers:
                async for size in _send(channel, found[number], host):
                    sent += size
                    tell(sent, whole)
        except ConnectionLost:
            await _answer(channel, host)  # where the host gave up, it has said why
            raise
        answer = await _answer(channel, host)
    finally:
        channel.close_input()
    return Placed(
        host=host, folder=answer["folder"], changed=answer["changed"], unchanged=answer["unchanged"], size=sent
    )


async def fetch(
    connection: Connection,
    paths: Sequence[str],
    into: Path,
    *,
    sudo: bool = False,
    password: Secret | None = None,
    tell: Tell,
) -> Fetched:
    """Fetch files from a host into a folder here.

    Raises
    ------
    HostError
        They cannot be read there, or not be written here; says which.
    """
    host = connection.host.name
    channel, _ = await start(connection, "copying", sudo=sudo, password=password)
    try:
        await ask(channel, {"do": "take", "paths": list(paths)})
        answer = await _answer(channel, host)
        entries = [_ours(Entry(**entry)) for entry in answer["entries"]]
        digest = hashlib.sha256()
        try:
            placer = await asyncio.to_thread(Placer, str(into))
            try:
                size = await _receive(channel, host, placer, entries, digest, tell)
                await asyncio.to_thread(placer.finish)
            finally:
                placer.close()
        except (StepError, OSError) as error:
            problem = told(error)
            raise StepFailed(f"here: {problem['what']}", host=host, step="fetch", why=problem["why"]) from None
    finally:
        channel.close_input()
    files = sum(entry.kind == "file" for entry in entries)
    left_out = tuple(answer["left_out"])
    return Fetched(host=host, folder=str(into), files=files, size=size, digest=digest.hexdigest(), left_out=left_out)


async def _send(channel: Channel, one: Found, host: str) -> Any:
    """Send a file's content; yields the bytes of each piece. All hosts share the hash that it had at the beginning."""
    try:
        with await asyncio.to_thread(one.open) as file:
            while data := await asyncio.to_thread(file.read, CHUNK):
                await channel.write(SIZE.pack(len(data)) + data)
                yield len(data)
    except OSError as error:
        problem = told(error)
        raise StepFailed(f"here: {problem['what']}", host=host, step="copy", why=problem["why"]) from None
    await channel.write(SIZE.pack(END) + bytes.fromhex(one.entry.sha256))


async def _receive(channel: Channel, host: str, placer: Placer, entries: list[Entry], digest: Any, tell: Tell) -> int:
    """Place what comes; returns its bytes."""
    whole = sum(entry.size for entry in entries)
    got = 0
    for number in await asyncio.to_thread(placer.lacking, entries):
        await asyncio.to_thread(placer.begin, entries[number])
        async with aclosing(_pieces(channel, host)) as pieces:
            async for data, sha256 in pieces:
                if sha256:
                    await asyncio.to_thread(placer.end, sha256)
                    digest.update(sha256)
                else:
                    await asyncio.to_thread(placer.write, data)
                    got += len(data)
                    tell(got, max(got, whole))
    for entry in entries:
        digest.update(json.dumps([entry.path, entry.kind, entry.mode, entry.target]).encode())
    return got


async def _pieces(channel: Channel, host: str) -> Any:
    """The pieces of a file, each with no hash; then nothing, with the hash of all."""
    while True:
        (size,) = SIZE.unpack(await _exactly(channel, SIZE.size, host))
        if size == END:
            yield b"", await _exactly(channel, 32, host)
            return
        if size == BROKEN:
            await _answer(channel, host)
        if size > CHUNK:
            raise ConnectionLost("what it says makes no sense", host=host)
        yield await _exactly(channel, size, host), b""


async def _exactly(channel: Channel, size: int, host: str) -> bytes:
    parts = []
    while size:
        data = await channel.read(size)
        if not data:
            raise ConnectionLost("the connection ended in the middle", host=host, hint="run the same again")
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


async def _answer(channel: Channel, host: str) -> dict[str, Any]:
    answer = await message(channel)
    if answer["kind"] == "step-failed":
        raise StepFailed(
            answer["what"],
            host=host,
            step="copying",
            why=answer["why"],
            hint=answer["hint"],
            log=tuple(answer["log"]),
        )
    return answer


def _ours(entry: Entry) -> Entry:
    """As it is written here: whoever fetched it can read it, and look into folders."""
    least = {"folder": 0o700, "file": 0o600}.get(entry.kind, 0)
    return Entry(**{**asdict(entry), "mode": entry.mode & 0o777 | least})
