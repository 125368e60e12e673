"""The bytes of a process on a host: taken in with bounded memory, handed out by lines.

What carries the bytes is the business of `ssh`, `local` and `fake`; each has a class on top of `Process`.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence

from ..errors import ConnectionLost, HostError
from .contract import LONGEST_LINE, MOST_OUTPUT, TAIL_LINES, Completed

#: From this many unread bytes on the sender is held back.
HELD_BACK = 256 * 1024

#: Seconds that a process may leave its input untouched while more waits to be written.
STALL = 120.0

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


class Process(ABC):
    """A `Channel`, less what carries its bytes.

    The transport calls `stdout_received`, `stderr_received`, `stdout_ended`, `has_ended`, `broke`, `pause_writing` and
    `resume_writing` as things happen.

    Parameters
    ----------
    host
        Name of the host.
    whole_stderr
        Keep all of standard error, not only its last lines.
    """

    def __init__(self, host: str, *, whole_stderr: bool = False) -> None:
        self.host = host
        self.stdout = Inbox(host, self._pause_reading, self._resume_reading)
        self.stderr = Inbox(host) if whole_stderr else None
        self._stderr_size = 0
        self._tail = Tail()
        self._ended = asyncio.Event()
        self._status: int | None = None
        self._failure: HostError | None = None
        self._room = asyncio.Event()
        self._room.set()

    # What the transport does for us.

    @abstractmethod
    def kill(self) -> None:
        """As `Channel.kill`."""

    @abstractmethod
    def close_input(self) -> None:
        """As `Channel.close_input`."""

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Put into the queue for standard input; OSError when it is closed."""

    @abstractmethod
    def _unsent(self) -> int:
        """How many bytes wait in that queue."""

    @abstractmethod
    def _pause_reading(self) -> None: ...

    @abstractmethod
    def _resume_reading(self) -> None: ...

    # What the transport tells us.

    def stdout_received(self, data: bytes) -> None:
        """Standard output arrived."""
        self.stdout.feed(data)

    def stderr_received(self, data: bytes) -> None:
        """Standard error arrived."""
        self._tail.feed(data)
        if self.stderr is not None:
            self._stderr_size += len(data)
            # Both streams share one flow control over SSH, so this one is bounded by cutting it off.
            if self._stderr_size <= MOST_OUTPUT + HELD_BACK:
                self.stderr.feed(data)

    def stdout_ended(self) -> None:
        """Standard output came to its end."""
        self.stdout.end()

    def has_ended(self, status: int) -> None:
        """The process has ended; output may still be under way."""
        if not self._ended.is_set():
            self._status = status
            self._over()

    def broke(self, failure: HostError) -> None:
        """The connection broke. A status that came before stays true."""
        self.stdout.end(failure)
        if self.stderr is not None:
            self.stderr.end(failure)
        if not self._ended.is_set():
            self._failure = failure
            self._over()

    def closed(self) -> None:
        """Both streams are closed; nothing more comes."""
        self.stdout.end()
        if self.stderr is not None:
            self.stderr.end()

    def pause_writing(self) -> None:
        """The queue for standard input is full."""
        self._room.clear()

    def resume_writing(self) -> None:
        """There is room in it again."""
        self._room.set()

    def _over(self) -> None:
        self._ended.set()
        self._room.set()

    # What a channel offers.

    @property
    def is_over(self) -> bool:
        """Whether the process has ended or the connection broke."""
        return self._ended.is_set()

    async def readline(self) -> bytes:
        """As `Channel.readline`."""
        return await self.stdout.readline()

    async def read(self, n: int) -> bytes:
        """As `Channel.read`."""
        return await self.stdout.read(n)

    def stderr_tail(self) -> list[str]:
        """As `Channel.stderr_tail`."""
        return self._tail.lines()

    async def wait(self) -> int:
        """As `Channel.wait`."""
        await self._ended.wait()
        if self._status is None:
            assert self._failure is not None
            raise self._failure
        return self._status

    async def write(self, data: bytes) -> None:
        """As `Channel.write`."""
        if self._ended.is_set():
            raise self._gone()
        try:
            self._send(data)
        except OSError:
            raise self._gone() from None
        had_room = self._room.is_set()
        while not self._room.is_set():
            left = self._unsent()
            try:
                async with asyncio.timeout(STALL):
                    await self._room.wait()
            except TimeoutError:
                if self._unsent() >= left:
                    self.kill()
                    raise ConnectionLost(f"it took no input for {STALL:.0f} s", host=self.host) from None
        if self._ended.is_set() and not had_room:
            raise self._gone()

    def _gone(self) -> HostError:
        if self._failure is not None:
            return self._failure
        tail = self.stderr_tail()
        return ConnectionLost(
            "the process at the other end has ended", host=self.host, why=tail[-1].strip() if tail else ""
        )


async def complete(process: Process, argv: Sequence[str] | str, *, input: bytes, timeout: float) -> Completed:
    """Bring a process to its end, as `Connection.run` promises. It must have been made with ``whole_stderr``."""
    assert process.stderr is not None
    parts = (
        asyncio.create_task(_feed(process, input)),
        asyncio.create_task(process.stdout.read_all(MOST_OUTPUT)),
        asyncio.create_task(process.stderr.read_all(MOST_OUTPUT)),
        asyncio.create_task(process.wait()),
    )
    try:
        async with asyncio.timeout(timeout):
            _, stdout, stderr, status = await asyncio.gather(*parts)
    except TimeoutError:
        process.kill()
        raise HostError(
            f"{_program(argv)} did not end within {timeout:g} s and was killed",
            host=process.host,
            hint="give it more time, or see what it waits for",
        ) from None
    except BaseException:
        process.kill()
        raise
    finally:
        for part in parts:
            part.cancel()
    return Completed(status, stdout, stderr)


async def _feed(process: Process, data: bytes) -> None:
    try:
        if data:
            await process.write(data)
    except ConnectionLost:
        pass  # a program need not read all its input; if it was the connection, the readers say so
    process.close_input()


def _program(argv: Sequence[str] | str) -> str:
    """The word for a command in errors. Only its name: the rest may hold what nobody should see."""
    words = argv.split() if isinstance(argv, str) else argv
    name = words[0].rsplit("/", 1)[-1] if words else ""
    return name if re.fullmatch(r"[\w.+-]+", name) else "the command"
