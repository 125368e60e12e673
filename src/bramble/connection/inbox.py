"""Bytes on their way in: taken with bounded memory, handed out by lines."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ..errors import ConnectionLost, HostError
from .contract import LONGEST_LINE, TAIL_LINES

#: From this many unread bytes on the sender is held back.
HELD_BACK = 256 * 1024

#: Longest piece kept of one line of standard error, in bytes.
_LONGEST_TAIL_LINE = 4096


class Inbox:
    """Bytes that arrived and wait to be read, by one reader.

    Parameters
    ----------
    host
        Name of the host, for errors.
    pause, resume
        Called to hold the sender back and to let it go on.
    """

    def __init__(self, host: str, pause: Callable[[], None] | None = None, resume: Callable[[], None] | None = None):
        self._host = host
        self._pause, self._resume = pause, resume
        self._bytes = bytearray()
        self._searched = 0  # no line end before this place: a long line is not searched again with each packet
        self._ended = False
        self._failure: HostError | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._bytes)

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        self._bytes += data
        if self._waiter is not None:
            self._wake()
        elif len(self._bytes) > HELD_BACK and not self._paused and self._pause is not None:
            self._paused = True
            self._pause()

    def end(self, failure: HostError | None = None) -> None:
        """Nothing more comes: the stream has ended, or it broke with ``failure``."""
        if not self._ended:
            self._ended, self._failure = True, failure
            self._wake()

    async def readline(self) -> bytes:
        """As `Channel.readline`."""
        while True:
            found = self._bytes.find(b"\n", self._searched)
            if found >= 0:
                return self._take(found + 1)
            self._searched = len(self._bytes)
            if self._searched > LONGEST_LINE:
                raise ConnectionLost(
                    f"what it says makes no sense: a line of more than {LONGEST_LINE >> 20} MiB", host=self._host
                )
            if self._ended:
                return self._rest()
            await self._more()

    async def read(self, n: int) -> bytes:
        """As `Channel.read`."""
        while not self._bytes and not self._ended:
            await self._more()
        return self._take(n) if self._bytes else self._rest()

    async def read_all(self, most: int) -> bytes:
        """Everything to the end, or HostError when that is more than ``most`` bytes."""
        while not self._ended:
            if len(self._bytes) > most:
                break
            await self._more()
        if len(self._bytes) > most:
            raise HostError(f"it printed more than {most >> 20} MiB", host=self._host)
        return self._rest()

    def _take(self, n: int) -> bytes:
        with memoryview(self._bytes) as view:
            taken = bytes(view[:n])
        del self._bytes[:n]
        self._searched = 0
        return taken

    def _rest(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        return self._take(len(self._bytes))

    async def _more(self) -> None:
        # Set before the sender goes on: what it then hands over at once must not hold it back again.
        self._waiter = asyncio.get_running_loop().create_future()
        if self._paused and self._resume is not None:
            self._paused = False
            self._resume()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Tail:
    """The last lines of a stream, in bounded memory."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._open = b""  # a line that has not ended yet

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        *whole, last = data.split(b"\n")
        for line in whole:
            self._lines.append((self._open + line)[:_LONGEST_TAIL_LINE])
            self._open = b""
        self._open = (self._open + last)[:_LONGEST_TAIL_LINE]

    def lines(self) -> list[str]:
        """The lines so far, oldest first."""
        kept = [*self._lines, self._open] if self._open else list(self._lines)
        return [line.decode(errors="replace").rstrip("\r") for line in kept[-TAIL_LINES:]]
