"""A process on a host, less what carries its bytes: that is the business of `ssh`, `local` and `fake`."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

from ..errors import ConnectionLost, HostError
from .contract import MOST_OUTPUT, Completed
from .inbox import HELD_BACK, Inbox, Tail

#: Seconds that a process may leave its input untouched while more waits to be written.
STALL = 120.0


class Process(ABC):
    """A `Channel`, less what carries its bytes.

    The transport calls `stdout_received`, `stderr_received`, `stdout_ended`, `has_ended`, `broke`, `pause_writing`,
    `resume_writing` and `input_ended` as things happen.

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
        self._takes_input = True

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

    def input_ended(self) -> None:
        """Standard input is closed; what waited in the queue is lost. The process may live on, or end any moment."""
        self._takes_input = False
        self._room.set()

    def _over(self) -> None:
        self._takes_input = False
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
        if not self._takes_input and not had_room:
            raise self._gone()

    def _gone(self) -> HostError:
        if self._failure is not None:
            return self._failure
        tail = self.stderr_tail()
        what = "has ended" if self._ended.is_set() else "takes no more input"
        return ConnectionLost(
            f"the process at the other end {what}", host=self.host, why=tail[-1].strip() if tail else ""
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
            f"{_program(argv)} did not end within {timeout:g} s, and was cut off",
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
