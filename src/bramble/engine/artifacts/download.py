"""Files that their makers publish: fetched over flaky networks, gone on with after a cut, believed by their hash."""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path

import httpx

from ...artifact import Artifact, Download
from ...errors import BrambleError
from .store import require_room
from .sums import published
from .unpack import take_out

#: Tries in a row that bring next to nothing, and the seconds after the first; each further pause is twice as long.
TRIES, PAUSE = 4, 1.0

#: Seconds within which a server must answer, and without a byte after which it is given up.
CONNECT, SILENCE = 15.0, 30.0

#: Bytes that make a try count as one that brought something.
PROGRESS = 1 << 20

#: Bytes of a list of hashes; more is something else.
LIST = 1 << 20

#: Seconds between two words about how far it is.
TICK = 1.0

#: Answers that may be others a moment later.
BUSY = (408, 425, 429, 500, 502, 503, 504)


class _Cut(Exception):
    """It broke off, and another try may bring the rest."""


class _Absent(BrambleError):
    """One place does not have it; another may."""


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
    try:
        client = httpx.AsyncClient(follow_redirects=True, timeout=httpx.Timeout(SILENCE, connect=CONNECT))
    except (ValueError, ImportError) as error:
        hint = "env | grep -i proxy"
        raise BrambleError("the proxy that the environment names cannot be used", why=str(error), hint=hint) from None
    async with client:
        fetch = _Fetch(client, part, unpacked=bool(source.member), tell=tell)
        digest = source.digest or await fetch.hash_of(source)
        await fetch.from_any(source.urls)
        actual = await _digest(part, digest)
        if actual != digest and fetch.joined:
            # Its halves may be of two files: no reason yet to believe that the whole is wrong.
            part.unlink()
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


class _Fetch:
    """One file on its way."""

    def __init__(self, client: httpx.AsyncClient, part: Path, *, unpacked: bool, tell: Callable[[str], None]) -> None:
        self.url = ""
        self.joined = False
        self._client = client
        self._part = part
        self._unpacked = unpacked
        self._tell = tell
        self._told = 0.0

    async def from_any(self, urls: tuple[str, ...]) -> None:
        """Fetch it from the first of these places that has it."""
        absent = []
        for self.url in urls:
            try:
                return await self._patiently(self._go_on)
            except _Absent as error:
                absent.append(error)
        if len(absent) == 1:
            raise absent[0]
        why = "\n".join(f"{error.what}: {error.why}" for error in absent)
        raise BrambleError(f"none of {len(urls)} places has it", why=why, hint=absent[0].hint)

    async def hash_of(self, source: Download) -> str:
        """The hash that its makers publish beside it."""
        self.url = source.sums
        text = ""

        async def ask() -> None:
            nonlocal text
            async with self._client.stream("GET", self.url) as answer:
                self._judge(answer, (200,))
                if any(one.url.scheme != "https" for one in (*answer.history, answer)):
                    raise BrambleError(f"{self.url} leads to a place without TLS, where anybody could change it")
                content = b""
                async for data in answer.aiter_bytes():
                    content += data
                    if len(content) > LIST:
                        raise BrambleError(f"{self.url} is no list of hashes")
                text = content.decode(errors="replace")

        await self._patiently(ask)
        try:
            return published(text, httpx.URL(source.urls[0]).path.rpartition("/")[2])
        except BrambleError as error:
            raise BrambleError(f"{self.url}: {error.what}", why=error.why) from None

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try until it is through; a break counts only where next to nothing came since the one before."""
        tried, had = 0, self._size()
        while True:
            try:
                await work()
                return
            except _Cut as error:
                why = str(error)
            except httpx.TransportError as error:
                why = _words(error)
                if _of_tls(error):
                    hint = "is the clock right (date)? A network that looks into TLS: export SSL_CERT_FILE=its-ca.pem"
                    raise BrambleError(f"{self.url} cannot be believed", why=why, hint=hint) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _Absent(f"{self.url} cannot be had", why=_words(error)) from None
            tried = 1 if self._size() - had >= PROGRESS else tried + 1
            had = self._size()
            if tried == TRIES:
                hint = "behind a proxy: export HTTPS_PROXY=http://...; without a network: bramble artifacts import FILE"
                raise _Absent(f"{self.url} cannot be had", why=why, hint=hint)
            self._tell(f"{why}; another try")
            await asyncio.sleep(PAUSE * 2 ** (tried - 1))

    async def _go_on(self) -> None:
        have = self._size()
        asked = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
        async with self._client.stream("GET", self.url, headers=asked) as answer:
            if have and answer.status_code == 416 and answer.headers.get("Content-Range") == f"bytes */{have}":
                self.joined = True  # it was through, and cut off before it was looked at
                return
            if have and answer.status_code in (206, 416):
                begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
                if answer.status_code == 416 or not begins or int(begins[1]) != have:
                    self._part.unlink()
                    raise _Cut("the server sends another part than it was asked for")
                self.joined = True
            else:
                self._judge(answer, (200,))
                have = 0
            coming = int(answer.headers.get("Content-Length", 0))
            self._need(coming, have)
            await self._take(answer, have, have + coming if coming else 0)

    async def _take(self, answer: httpx.Response, have: int, total: int) -> None:
        place = answer.url.host
        if not have:
            self._tell(f"fetches {total / 1e6:.1f} MB from {place}" if total else f"fetches it from {place}")
        try:
            with await asyncio.to_thread(self._part.open, "ab" if have else "wb") as file:
                async for data in answer.aiter_raw():
                    file.write(data)
                    have += len(data)
                    if time.monotonic() - self._told >= TICK:
                        self._told = time.monotonic()
                        self._tell(
                            f"downloading {have / 1e6:.0f}{f' of {total / 1e6:.0f}' if total else ''} MB from {place}"
                        )
        except OSError as error:
            hint = f"df -h {self._part.parent}"
            raise BrambleError("it cannot be kept here", why=error.strerror or str(error), hint=hint) from None

    def _judge(self, answer: httpx.Response, good: tuple[int, ...]) -> None:
        status = answer.status_code
        if status in good:
            return
        words = f"the server answers {status} {answer.reason_phrase}".rstrip()
        if status in BUSY:
            raise _Cut(words)
        raise _Absent(f"{self.url} cannot be had", why=words, hint="a later bramble may know where it is now")

    def _need(self, coming: int, have: int) -> None:
        """Refuse before the first byte what does not fit; what is taken out of an archive is larger than it."""
        require_room(self._part.parent, coming + (2 * (have + coming) if self._unpacked else 0))

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0


def _source(artifact: Artifact) -> Download:
    assert isinstance(artifact.source, Download)
    return artifact.source


async def _digest(file: Path, like: str) -> str:
    kind = like.partition(":")[0]

    def read() -> str:
        with file.open("rb") as opened:
            return f"{kind}:{hashlib.file_digest(opened, kind).hexdigest()}"

    return await asyncio.to_thread(read)


def _words(error: Exception) -> str:
    """What happened, in words: some of these errors have none of their own."""
    return str(error) or {"ReadTimeout": "no byte came", "ConnectTimeout": "no answer came in time"}.get(
        type(error).__name__, type(error).__name__
    )


def _of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
