"""What every connection offers, whatever carries it: `ssh`, `local` or `fake`.

All three pass the same suite (``tests/unit/test_connection_contract.py``). Every error they raise is one of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from ..model import Host

#: The longest line that `Channel.readline` takes in, in bytes: a file sent as base64 on one line of JSON fits.
LONGEST_LINE = 64 * 1024 * 1024

#: The most that one command run by `Connection.run` may print on each of its two streams, in bytes.
MOST_OUTPUT = 64 * 1024 * 1024

#: How many lines of standard error a channel keeps.
TAIL_LINES = 50


@dataclass(frozen=True)
class Completed:
    """A command that has ended.

    Attributes
    ----------
    status
        Its exit status; for one ended by a signal the signal's number, negative, as in `subprocess`.
    stdout, stderr
        All that it printed. Not part of the representation: it may hold what nobody should see.
    """

    status: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


class Channel(Protocol):
    """A process that was started on a host, with its three streams in bytes.

    One reader and one writer at a time. What is not read holds the process back, as a pipe does.
    """

    async def write(self, data: bytes) -> None:
        """Send to its standard input; returns when there is room for more.

        Raises
        ------
        ConnectionLost
            The process or the connection has ended, or the process took nothing for too long (`STALL`).
        """

    async def readline(self) -> bytes:
        """The next line of its standard output with its line end; ``b""`` at the end.

        Raises
        ------
        ConnectionLost
            The connection broke, or the line is longer than `LONGEST_LINE`.
        """

    async def read(self, n: int) -> bytes:
        """At least one and at most ``n`` bytes of its standard output; ``b""`` at the end.

        Raises
        ------
        ConnectionLost
            The connection broke.
        """

    def close_input(self) -> None:
        """End its standard input. What was written before still arrives."""

    def stderr_tail(self) -> list[str]:
        """The last lines of its standard error so far, at most `TAIL_LINES`, very long ones cut."""

    async def wait(self) -> int:
        """Wait until it has ended; its status as in `Completed`.

        Raises
        ------
        ConnectionLost
            The connection broke before the status came.
        """

    def kill(self) -> None:
        """End it at once, by force. Harmless when it has ended.

        sshd hands the signal on to processes of the user who logged in, but not to those of root and of sudo: these
        lose their streams, which ends whatever reads or writes them. Where a command of root's must end in any case,
        let it run under ``timeout``.
        """


class Connection(Protocol):
    """An open connection to one host; an async context manager that closes it."""

    host: Host

    async def run(self, argv: Sequence[str] | str, *, input: bytes = b"", timeout: float) -> Completed:
        """Run a command to its end.

        Parameters
        ----------
        argv
            A sequence reaches the program word by word as it is; a string goes to the shell as it is.
        input
            What the command reads on its standard input.
        timeout
            Seconds; after that the command is killed, as far as `Channel.kill` can.

        Raises
        ------
        ConnectionLost
            The connection broke before the command ended.
        HostError
            It did not end in time, could not be started, or printed more than `MOST_OUTPUT`.
        """

    async def start(self, argv: Sequence[str] | str) -> Channel:
        """Start a process and talk to it.

        Raises
        ------
        ConnectionLost
            The connection is broken.
        HostError
            The process could not be started.
        """

    async def close(self) -> None:
        """End the connection and whatever still runs over it. Harmless when it is closed."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
