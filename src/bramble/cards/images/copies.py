"""Copies of the lists, so that a list is asked for once a day, and not needed where there is no network."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from ...engine.web import words
from ...errors import BrambleError

#: Seconds for which a copy is good without a question: a day, in which images are rarely released twice.
FRESH = 86400.0

#: Seconds within which a server must answer; where there is a copy, nobody should have to wait long for a better one.
PATIENCE = httpx.Timeout(10.0, connect=5.0)

#: Bytes of a list; more is something else. Raspberry Pi's own has 0.2 MB.
LARGEST = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A list as it was fetched.

    Attributes
    ----------
    address
        Where it came from.
    text
        What was there.
    current
        When that was last seen to be so; seconds since 1970.
    etag, modified
        What the server called this state of it.
    """

    address: str
    text: str
    current: float
    etag: str = ""
    modified: str = ""


class Copies:
    """A folder of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, address: str) -> Copy | None:
        """The copy that is here. One that cannot be read is none: it can be fetched again."""
        try:
            if address.startswith("file:"):
                return _of_file(address)
            return Copy(**json.loads(self._place(address).read_text(encoding="utf-8")))
        except (BrambleError, OSError, ValueError, TypeError):
            return None

    async def get(
        self, web: httpx.AsyncClient, address: str, check: Callable[[bytes], object], *, fresh: float = FRESH
    ) -> tuple[Copy, str]:
        """A list, and why it is an old one; empty where it is not.

        Parameters
        ----------
        check
            Raises where what came is no list, as hotspots send their own page for whatever is asked.
        fresh
            Seconds for which a copy is good without a question.

        Raises
        ------
        BrambleError
            There is no copy, and it cannot be had.
        """
        if address.startswith("file:"):
            return await asyncio.to_thread(_of_file, address), ""
        had = await asyncio.to_thread(self.find, address)
        if had is not None and 0 <= time.time() - had.current < fresh:
            return had, ""
        try:
            copy = await _ask(web, address, had)
            check(copy.text.encode())
        except (BrambleError, httpx.HTTPError, httpx.InvalidURL) as error:
            why = (error.why or error.what) if isinstance(error, BrambleError) else words(error)
            if had is None:
                raise BrambleError(f"{address} cannot be had", why=why) from None
            return had, why
        await asyncio.to_thread(self._keep, copy)
        return copy, ""

    def _place(self, address: str) -> Path:
        return self._folder / f"{hashlib.sha256(address.encode()).hexdigest()}.json"

    def _keep(self, copy: Copy) -> None:
        with contextlib.suppress(OSError):  # a full disk: then it is fetched again next time
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
            try:
                with open(handle, "w", encoding="utf-8") as file:
                    json.dump(asdict(copy), file)
                os.replace(name, self._place(copy.address))
            except OSError:
                os.unlink(name)
                raise


def _of_file(address: str) -> Copy:
    path = Path(unquote(urlsplit(address).path))
    try:
        return Copy(address=address, text=path.read_bytes().decode(errors="replace"), current=time.time())
    except OSError as error:
        raise BrambleError(f"{path} cannot be read", why=error.strerror or str(error)) from None


async def _ask(web: httpx.AsyncClient, address: str, had: Copy | None) -> Copy:
    headers = {"If-None-Match": had.etag, "If-Modified-Since": had.modified} if had else {}
    headers = {name: value for name, value in headers.items() if value}
    async with web.stream("GET", address, headers=headers, timeout=PATIENCE) as answer:
        if had is not None and answer.status_code == 304:
            return Copy(**{**asdict(had), "current": time.time()})
        if answer.status_code != 200:
            said = f"the server answers {answer.status_code} {answer.reason_phrase}".rstrip()
            raise BrambleError(f"{address} cannot be had", why=said)
        if address.startswith("https:") and any(one.url.scheme != "https" for one in (*answer.history, answer)):
            raise BrambleError(f"{address} leads to a place without TLS, where anybody could change it")
        content = b""
        async for data in answer.aiter_bytes():
            content += data
            if len(content) > LARGEST:
                raise BrambleError(f"{address} is too large for a list of images")
        return Copy(
            address=address,
            text=content.decode(errors="replace"),
            current=time.time(),
            etag=answer.headers.get("ETag", ""),
            modified=answer.headers.get("Last-Modified", ""),
        )
