"""Files that their makers publish: fetched over flaky networks, gone on with after a cut, believed by their hash."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Hashable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from ...artifact import Artifact, Download
from ...errors import BrambleError
from ..web import Fetch, Manners, client
from .store import require_room
from .sums import published
from .unpack import take_out

#: Bytes of a list of hashes; more is something else.
LIST = 1 << 20


def alike(artifact: Artifact) -> Hashable:
    """Files of one archive come by one fetch."""
    source = _source(artifact)
    return (source.urls, source.digest, source.sums, "" if source.member else artifact.id)


async def bring(wanted: list[Artifact], folder: Path, tell: Callable[[str], None]) -> list[Path]:
    """Fetch a file, or an archive and take these out of it.

    Raises
    ------
    BrambleError
        It cannot be had, there is no room for it, or it is not what it must be.
    """
    source = _source(wanted[0])
    part = folder / "download.part"
    manners = Manners(
        tell=tell,
        moved=lambda have, total, place: tell(downloading(have, total, place)),
        # What is taken out of an archive is larger than it.
        need=lambda coming, have: require_room(folder, coming + (2 * (have + coming) if source.member else 0)),
        offline="bramble artifacts import FILE",
        gone="a later bramble may know where it is now",
    )
    async with client() as web:
        fetch = Fetch(web, part, manners)
        digest = source.digest or await _published(source, fetch)
        await fetch.from_any(source.urls)
        actual = await _digest(part, digest)
        if actual != digest and fetch.joined:
            # Its halves may be of two files: no reason yet to believe that the whole is wrong.
            fetch.forget()
            await fetch.from_any(source.urls)
            actual = await _digest(part, digest)
    if actual != digest:
        part.unlink()
        raise BrambleError(
            "it is not what it must be, and nothing was touched",
            why=f"{fetch.url} has {actual}, and must have {digest}",
            hint="something on the way changes files, or its makers replaced it: try from another network",
        )
    if source.member:
        files = await asyncio.to_thread(take_out, part, [_source(one).member for one in wanted], folder)
        part.unlink()
        return files
    return [part.rename(folder / "whole")]


def downloading(have: int, total: int, place: str) -> str:
    """How far a file is, for a line that is redrawn."""
    return f"downloading {have / 1e6:.0f}{f' of {total / 1e6:.0f}' if total else ''} MB from {place}"


async def _published(source: Download, fetch: Fetch) -> str:
    """The hash that its makers publish beside it."""
    text = await fetch.text(source.sums, LIST, "list of hashes")
    try:
        return published(text, PurePosixPath(urlsplit(source.urls[0]).path).name)
    except BrambleError as error:
        raise BrambleError(f"{source.sums}: {error.what}", why=error.why) from None


def _source(artifact: Artifact) -> Download:
    assert isinstance(artifact.source, Download)
    return artifact.source


async def _digest(file: Path, like: str) -> str:
    kind = like.partition(":")[0]

    def read() -> str:
        with file.open("rb") as opened:
            return f"{kind}:{hashlib.file_digest(opened, kind).hexdigest()}"

    return await asyncio.to_thread(read)
