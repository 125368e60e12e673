"""The machine we are on as a host: every command is a subprocess. No SSH, no keys."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Sequence
from typing import Self, cast

from ..errors import ConnectionLost, HostError
from ..model import Host
from .contract import Completed, Connection
from .process import Process, complete


class LocalConnection(Connection):
    """A `Connection` to this machine."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._running: set[LocalChannel] = set()
        self._open = True

    async def run(self, argv: Sequence[str] | str, *, input: bytes = b"", timeout: float) -> Completed:
        """As `Connection.run`."""
        return await complete(await self._start(argv, True), argv, input=input, timeout=timeout)

    async def start(self, argv: Sequence[str] | str) -> LocalChannel:
        """As `Connection.start`."""
        return await self._start(argv, False)

    async def _start(self, argv: Sequence[str] | str, whole_stderr: bool) -> LocalChannel:
        if not self._open:
            raise ConnectionLost("the connection is closed", host=self.host.name)
        channel = await LocalChannel.start(self.host.name, argv, whole_stderr)
        self._running = {one for one in self._running if not one.gone.is_set()} | {channel}
        return channel

    async def close(self) -> None:
        """As `Connection.close`."""
        self._open = False
        running, self._running = self._running, set()
        for channel in running:
            channel.drop()
        for channel in running:
            await channel.gone.wait()

    def __repr__(self) -> str:
        return f"<local connection as {self.host.name}>"


class LocalChannel(Process, asyncio.SubprocessProtocol):
    """A `Channel` to a subprocess. asyncio calls it by the names that it knows."""

    _transport: asyncio.SubprocessTransport

    def __init__(self, host: str, *, whole_stderr: bool = False) -> None:
        super().__init__(host, whole_stderr=whole_stderr)
        self._open_outputs = 2
        #: Set when nothing of it is left: the process is reaped, its streams are closed.
        self.gone = asyncio.Event()

    @classmethod
    async def start(cls, host: str, argv: Sequence[str] | str, whole_stderr: bool) -> Self:
        """Start a command as sshd would: by a shell, in a session of its own."""
        line = argv if isinstance(argv, str) else shlex.join(argv)
        channel = cls(host, whole_stderr=whole_stderr)
        loop = asyncio.get_running_loop()
        starting = asyncio.ensure_future(
            loop.subprocess_exec(lambda: channel, "/bin/sh", "-c", line, start_new_session=True)
        )
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled half-way, asyncio would forget the pipes that it was about to open.
            await starting
            channel.kill()
            await channel.gone.wait()
            raise
        except OSError as error:
            raise HostError("no process could be started", host=host, why=error.strerror or str(error)) from None
        return channel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the process has started."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Called by asyncio with output."""
        if fd == 1:
            self.stdout_received(data)
        else:
            self.stderr_received(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Called by asyncio when a stream is closed."""
        if fd == 0:
            self.input_ended()
            return
        if fd == 1:
            self.stdout_ended()
        self._open_outputs -= 1
        if not self._open_outputs:
            self.closed()

    def process_exited(self) -> None:
        """Called by asyncio when the process has ended."""
        self.has_ended(self._transport.get_returncode() or 0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when the process has ended and all streams are closed."""
        self._transport.close()
        self.gone.set()

    def close_input(self) -> None:
        """As `Channel.close_input`."""
        self._input().close()

    def kill(self) -> None:
        """As `Channel.kill`."""
        if not self.is_over:
            with contextlib.suppress(ProcessLookupError):  # it may just have ended
                os.killpg(self._transport.get_pid(), signal.SIGKILL)
        self.has_ended(-signal.SIGKILL)
        self.closed()
        self._transport.close()

    def drop(self) -> None:
        """End the process because its connection ends."""
        pid = None if self.is_over else self._transport.get_pid()
        self.broke(ConnectionLost("the connection was closed", host=self.host))
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self._transport.close()

    def _send(self, data: bytes) -> None:
        pipe = self._input()
        if not pipe.is_closing():
            pipe.write(data)
        if pipe.is_closing():  # before, or because nobody holds its other end any more
            raise BrokenPipeError

    def _unsent(self) -> int:
        return self._input().get_write_buffer_size()

    def _pause_reading(self) -> None:
        cast(asyncio.ReadTransport, self._transport.get_pipe_transport(1)).pause_reading()

    def _resume_reading(self) -> None:
        cast(asyncio.ReadTransport, self._transport.get_pipe_transport(1)).resume_reading()

    def _input(self) -> asyncio.WriteTransport:
        return cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
