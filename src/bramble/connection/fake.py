"""A host that is not there: scripted answers, for tests, demos and the manual.

::

    red01 = FakeConnection(Host(name="red01"), {"uptime": "up 3 days", "sudo -n true": 1})
    (await red01.run(["uptime"], timeout=1)).stdout  # b"up 3 days"
    red01.commands  # ["uptime"]
"""

from __future__ import annotations

import asyncio
import fnmatch
import shlex
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..errors import ConnectionLost, HostError, Unreachable
from ..model import Host
from .contract import Completed, Connection
from .inbox import Inbox
from .process import Process, complete

#: What a shell says of a program that is not there.
_NOT_FOUND = 127


class FakeOutput:
    """Where a scripted program prints."""

    def __init__(self, channel: FakeChannel) -> None:
        self._channel = channel

    def write(self, data: bytes) -> None:
        """Print to standard output."""
        self._channel.stdout_received(data)

    def error(self, data: bytes) -> None:
        """Print to standard error."""
        self._channel.stderr_received(data)

    async def drain(self) -> None:
        """Wait until what was printed has room; a program that prints much should."""
        await self._channel.flowing.wait()


#: A scripted program: its command, what it reads, where it prints; returns its status.
Program = Callable[[str, Inbox, FakeOutput], Awaitable[int]]

#: What a command does: print this and succeed, end with this status, this whole result, fail like this, or a program.
Answer = str | bytes | int | Completed | HostError | Program


class FakeConnection(Connection):
    """A `Connection` with scripted answers.

    Parameters
    ----------
    host
        The host it plays.
    answers
        From commands to what they do. A command is its text as the shell gets it; where none is the same,
        the first that matches as in file names counts (``*``, ``?``). Others are answered as unknown programs are.

    Attributes
    ----------
    commands
        All commands that were run or started, in order.
    inputs
        What each of them was given on standard input.
    """

    def __init__(self, host: Host, answers: Mapping[str, Answer] | None = None) -> None:
        self.host = host
        self.commands: list[str] = []
        self.inputs: list[bytearray] = []
        self._answers = dict(answers or {})
        self._channels: list[FakeChannel] = []
        self._lost: HostError | None = None

    async def run(self, argv: Sequence[str] | str, *, input: bytes = b"", timeout: float) -> Completed:
        """As `Connection.run`."""
        channel = self._start(argv, True)
        self.inputs[-1][:] = input  # also what the program does not wait for
        return await complete(channel, argv, input=input, timeout=timeout)

    async def start(self, argv: Sequence[str] | str) -> FakeChannel:
        """As `Connection.start`."""
        return self._start(argv, False)

    def _start(self, argv: Sequence[str] | str, whole_stderr: bool) -> FakeChannel:
        if self._lost is not None:
            raise self._lost
        command = argv if isinstance(argv, str) else shlex.join(argv)
        self.commands.append(command)
        self.inputs.append(bytearray())
        matching = (a for pattern, a in self._answers.items() if fnmatch.fnmatchcase(command, pattern))
        answer = self._answers[command] if command in self._answers else next(matching, None)
        if isinstance(answer, HostError):
            raise answer
        record = bytearray() if whole_stderr else self.inputs[-1]
        channel = FakeChannel(self.host.name, record, whole_stderr)
        channel.play(command, _program(command, answer))
        self._channels.append(channel)
        return channel

    async def close(self) -> None:
        """As `Connection.close`."""
        self.lose("the connection was closed")

    def lose(self, what: str = "the connection broke in the middle") -> None:
        """Break the connection, as a host does that loses power."""
        if self._lost is None:
            self._lost = ConnectionLost(what, host=self.host.name)
            for channel in self._channels:
                channel.lose(self._lost)

    def __repr__(self) -> str:
        return f"<fake connection to {self.host.name}>"


class FakeHosts:
    """A network of fake hosts, for `Settings.opener`.

    Parameters
    ----------
    answers
        For each host its answers as in `FakeConnection`, or the error that connecting to it raises.

    Attributes
    ----------
    connections
        The connections that were opened, in order.
    """

    def __init__(self, answers: Mapping[str, Mapping[str, Answer] | HostError]) -> None:
        self._answers = answers
        self.connections: list[FakeConnection] = []

    async def __call__(self, host: Host) -> FakeConnection:
        """Connect to a host."""
        answers = self._answers.get(host.name)
        if answers is None:
            raise Unreachable(f"the name {host.name} is not known", host=host.name)
        if isinstance(answers, HostError):
            raise answers
        self.connections.append(FakeConnection(host, answers))
        return self.connections[-1]


class FakeChannel(Process):
    """A `Channel` to a scripted program."""

    def __init__(self, host: str, record: bytearray, whole_stderr: bool) -> None:
        super().__init__(host, whole_stderr=whole_stderr)
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._record = record
        self._input = Inbox(host)
        self._task: asyncio.Task[None] | None = None

    def play(self, command: str, program: Program) -> None:
        """Let the program run."""

        async def play() -> None:
            try:
                status = await program(command, self._input, FakeOutput(self))
            except HostError as failure:
                self.broke(failure)
            else:
                self.closed()
                self.has_ended(status)

        self._task = asyncio.create_task(play())

    def lose(self, failure: HostError) -> None:
        """End with the connection."""
        self._cancel()
        if not self.is_over:
            self.broke(failure)

    def kill(self) -> None:
        """As `Channel.kill`."""
        self._cancel()
        self.has_ended(-signal.SIGKILL)
        self.closed()

    def close_input(self) -> None:
        """As `Channel.close_input`."""
        self._input.end()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _send(self, data: bytes) -> None:
        self._record += data
        self._input.feed(data)

    def _unsent(self) -> int:
        return 0

    def _pause_reading(self) -> None:
        self.flowing.clear()

    def _resume_reading(self) -> None:
        self.flowing.set()


def _program(command: str, answer: Answer | None) -> Program:
    if callable(answer):
        return answer
    if answer is None:
        name = command.partition(" ")[0]
        answer = Completed(_NOT_FOUND, b"", f"sh: 1: {name}: not found\n".encode())
    elif isinstance(answer, int):
        answer = Completed(answer, b"", b"")
    elif not isinstance(answer, Completed):
        assert not isinstance(answer, HostError)
        answer = Completed(0, answer.encode() if isinstance(answer, str) else answer, b"")
    done = answer

    async def program(command: str, stdin: Inbox, stdout: FakeOutput) -> int:
        stdout.write(done.stdout)
        stdout.error(done.stderr)
        return done.status

    return program
