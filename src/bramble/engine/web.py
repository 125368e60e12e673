"""Files of the web: fetched over flaky networks, and gone on with after a cut. What they must be, others know."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from ..errors import BrambleError

#: Tries in a row that bring next to nothing, and the seconds after the first; each further pause is twice as long.
TRIES, PAUSE = 4, 1.0

#: Seconds within which a server must answer, and without a byte after which it is given up.
CONNECT, SILENCE = 15.0, 30.0

#: Bytes that make a try count as one that brought something.
PROGRESS = 1 << 20

#: Seconds between two words about how far it is.
TICK = 1.0

#: Answers that may be others a moment later.
BUSY = (408, 425, 429, 500, 502, 503, 504)


class Cut(Exception):
    """It broke off, and another try may bring the rest."""


class Absent(BrambleError):
    """One place does not have it; another may."""


class Silent(Absent):
    """One place cannot be reached, or not for long enough."""


@contextlib.asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """What asks the servers. Certificates are checked, always.

    Raises
    ------
    BrambleError
        The environment names a proxy that cannot be used.
    """
    try:
        opened = httpx.AsyncClient(follow_redirects=True, timeout=httpx.Timeout(SILENCE, connect=CONNECT))
    except (ValueError, ImportError) as error:
        hint = "env | grep -i proxy"
        raise BrambleError("the proxy that the environment names cannot be used", why=str(error), hint=hint) from None
    async with opened:
        yield opened


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How one kind of file is fetched, and what is said where it cannot be had.

    Attributes
    ----------
    tell
        Takes words about what is going on.
    moved
        Takes the bytes that are here, those that there will be (0: not known) and the server's name, once in a while.
    need
        Takes the bytes that are coming and those that are here before the first comes; raises what it has against it.
    offline, gone
        Hints, for where no server is reached and for where it does not have the file.
    full
        What to do where the disk is full, besides looking at it.
    """

    tell: Callable[[str], None]
    moved: Callable[[int, int, str], None]
    need: Callable[[int, int], None] = lambda coming, have: None
    offline: str = ""
    gone: str = ""
    full: str = ""


class Fetch:
    """One file on its way.

    Parameters
    ----------
    web
        A `client`.
    part
        Where it grows; what an earlier try left there is gone on with.
    known
        Whether its hash is known. Where it is not, halves are joined only if the server vouches that they are of one
        file.

    Attributes
    ----------
    url
        Where it is had, or was tried last.
    joined
        Whether it was put together of what came in several tries.
    mark
        What the server calls this state of the file: a strong ETag or a date; empty where it says nothing.
    """

    def __init__(self, web: httpx.AsyncClient, part: Path, manners: Manners, *, known: bool = True) -> None:
        self.url = ""
        self.joined = False
        self.mark = ""
        self._web = web
        self._part = part
        self._manners = manners
        self._known = known
        self._told = 0.0

    async def from_any(self, urls: Sequence[str]) -> None:
        """Fetch it from the first of these places that has it.

        Raises
        ------
        BrambleError
            None has it, or it cannot be kept here.
        """
        absent = []
        for self.url in urls:
            try:
                return await self._patiently(self._go_on)
            except Absent as error:
                absent.append(error)
        if len(absent) == 1:
            raise absent[0]
        why = "\n".join(f"{error.what}: {error.why}" for error in absent)
        raise Absent(f"none of {len(urls)} places has it", why=why, hint=absent[0].hint)

    async def text(self, url: str, limit: int, what: str) -> str:
        """A short text that is to be believed as far as the server is: no way to it may be less safe than the address.

        Parameters
        ----------
        limit
            Bytes; more is something else.
        what
            What it should be, for the message.

        Raises
        ------
        BrambleError
            It cannot be had, or is no such text.
        """
        self.url = url
        text = ""

        async def ask() -> None:
            nonlocal text
            async with self._web.stream("GET", url) as answer:
                self._judge(answer)
                if url.startswith("https:") and any(one.url.scheme != "https" for one in (*answer.history, answer)):
                    raise BrambleError(f"{url} leads to a place without TLS, where anybody could change it")
                content = b""
                async for data in answer.aiter_bytes():
                    content += data
                    if len(content) > limit:
                        raise BrambleError(f"{url} is no {what}")
                text = content.decode(errors="replace")

        await self._patiently(ask)
        return text

    async def unchanged(self, url: str, mark: str, size: int) -> bool:
        """Whether a file that was fetched is still what is there, as far as the server tells: by its mark or its size.

        Raises
        ------
        Absent
            It is not there, or the server cannot be reached (`Silent`).
        """
        self.url = url
        same = True

        async def ask() -> None:
            nonlocal same
            async with self._web.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
                self._judge(answer)
                now = _mark(answer)
                same = now == mark if now or mark else int(answer.headers.get("Content-Length", size)) == size

        await self._patiently(ask)
        return same

    def forget(self) -> None:
        """Take away what came so far."""
        self._part.unlink(missing_ok=True)
        self._marked.unlink(missing_ok=True)

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try until it is through; a break counts only where next to nothing came since the one before."""
        tried, had = 0, self._size()
        while True:
            try:
                await work()
                return
            except Cut as error:
                why = str(error)
            except httpx.TransportError as error:
                why = words(error)
                if _of_tls(error):
                    hint = "is the clock right (date)? A network that looks into TLS: export SSL_CERT_FILE=its-ca.pem"
                    raise BrambleError(f"{self.url} cannot be believed", why=why, hint=hint) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise Absent(f"{self.url} cannot be had", why=words(error)) from None
            tried = 1 if self._size() - had >= PROGRESS else tried + 1
            had = self._size()
            if tried == TRIES:
                hint = f"behind a proxy: export HTTPS_PROXY=http://...; without a network: {self._manners.offline}"
                raise Silent(f"{self.url} cannot be had", why=why, hint=hint)
            self._manners.tell(f"{why}; another try")
            await asyncio.sleep(PAUSE * 2 ** (tried - 1))

    async def _go_on(self) -> None:
        self.mark = self._marked.read_text() if self._marked.exists() else ""
        have = self._size()
        if have and not self._known and not self.mark:
            have = 0  # nobody would notice halves of two files
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", **({"If-Range": self.mark} if self.mark else {})}
        async with self._web.stream("GET", self.url, headers=headers) as answer:
            if have and answer.status_code == 416 and answer.headers.get("Content-Range") == f"bytes */{have}":
                self.joined = True  # it was through, and cut off before it was looked at
                return
            if have and answer.status_code in (206, 416):
                begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
                other = self.mark and _mark(answer) not in ("", self.mark)
                if answer.status_code == 416 or not begins or int(begins[1]) != have or other:
                    self.forget()
                    raise Cut("the server sends another part than it was asked for")
                self.joined = True
            else:
                self._judge(answer)
                have = 0
                self.joined = False
            coming = int(answer.headers.get("Content-Length", 0))
            self._manners.need(coming, have)
            await self._take(answer, have, have + coming if coming else 0)

    async def _take(self, answer: httpx.Response, have: int, total: int) -> None:
        place = answer.url.host
        if not have:
            self._manners.tell(f"fetches {total / 1e6:.1f} MB from {place}" if total else f"fetches it from {place}")
        try:
            with await asyncio.to_thread(self._part.open, "ab" if have else "wb") as file:
                if not have:  # the mark of the file before goes after its bytes went
                    self._note(_mark(answer))
                async for data in answer.aiter_raw():
                    file.write(data)
                    have += len(data)
                    if time.monotonic() - self._told >= TICK:
                        self._told = time.monotonic()
                        self._manners.moved(have, total, place)
        except OSError as error:
            kept = f"; {self._size() / 1e6:.0f} MB of it are kept in {self._part}, and gone on with"
            hint = f"df -h {self._part.parent}{f'; {self._manners.full}' if self._manners.full else ''}"
            why = f"{error.strerror or error}{kept}"
            raise BrambleError("it cannot be kept here", why=why, hint=hint) from None

    def _judge(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status == 200:
            return
        said = f"the server answers {status} {answer.reason_phrase}".rstrip()
        if status in BUSY:
            raise Cut(said)
        raise Absent(f"{self.url} cannot be had", why=said, hint=self._manners.gone)

    @property
    def _marked(self) -> Path:
        return self._part.with_suffix(".mark")

    def _note(self, mark: str) -> None:
        self.mark = mark
        if mark:
            self._marked.write_text(mark)
        else:
            self._marked.unlink(missing_ok=True)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0


def words(error: Exception) -> str:
    """What happened, in words: some of httpx's errors have none of their own."""
    return str(error) or {"ReadTimeout": "no byte came", "ConnectTimeout": "no answer came in time"}.get(
        type(error).__name__, type(error).__name__
    )


def _mark(answer: httpx.Response) -> str:
    """What If-Range takes: an ETag that promises the same bytes, or else the date of the last change."""
    tag = str(answer.headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(answer.headers.get("Last-Modified", ""))


def _of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
