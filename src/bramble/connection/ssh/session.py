"""An SSH connection once it stands, and the processes started over it."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
from collections.abc import Sequence

import asyncssh

from ...errors import ConnectionLost
from ...model import Host
from ..contract import Completed, Connection
from ..process import Process, complete
from .login import Login
from .trouble import FOREIGN, lost, no_channel

#: Seconds that sshd may take to start a process: a login shell on a busy Pi with a slow card.
START = 30.0

#: Seconds for a connection to end in good order.
_CLOSE = 5.0

#: Bytes a process may send before we take more, per channel: what a local network has under way, and no more.
_WINDOW = 1024 * 1024


class SSHConnection(Connection):
    """A `Connection` by SSH."""

    def __init__(self, host: Host, login: Login) -> None:
        self.host = host
        self._login = login
        self._connection = login.connection

    async def run(self, argv: Sequence[str] | str, *, input: bytes = b"", timeout: float) -> Completed:
        """As `Connection.run`."""
        channel = await self._start(argv, whole_stderr=True)
        return await complete(channel, argv, input=input, timeout=timeout)

    async def start(self, argv: Sequence[str] | str) -> SSHChannel:
        """As `Connection.start`."""
        return await self._start(argv, whole_stderr=False)

    async def _start(self, argv: Sequence[str] | str, whole_stderr: bool) -> SSHChannel:
        if self._connection.is_closed():
            raise lost(self._login.ended_by, self.host.name)
        channel = SSHChannel(self.host.name, whole_stderr=whole_stderr)
        try:
            async with asyncio.timeout(START):
                await self._connection.create_session(
                    lambda: channel,
                    argv if isinstance(argv, str) else shlex.join(argv),
                    # What the user's own terminal is like must not change what a host does.
                    env=None,
                    send_env=None,
                    request_pty=False,
                    x11_forwarding=False,
                    encoding=None,
                    window=_WINDOW,
                )
        except TimeoutError:
            raise ConnectionLost(f"sshd did not start a process within {START:g} s", host=self.host.name) from None
        except FOREIGN as error:
            closed = self._connection.is_closed()
            raise no_channel(self._login.ended_by or error if closed else error, self.host.name, closed) from None
        return channel

    async def close(self) -> None:
        """As `Connection.close`."""
        self._connection.close()
        try:
            async with asyncio.timeout(_CLOSE):
                await self._connection.wait_closed()
        except TimeoutError:
            self._connection.abort()

    def __repr__(self) -> str:
        return f"<SSH connection to {self.host.name}>"


class SSHChannel(Process, asyncssh.SSHClientSession[bytes]):
    """A `Channel` by SSH. asyncssh calls it by the names that it knows."""

    _channel: asyncssh.SSHClientChannel[bytes]

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Called by asyncssh when the channel is open."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Called by asyncssh with output."""
        if datatype == asyncssh.EXTENDED_DATA_STDERR:
            self.stderr_received(data)
        else:
            self.stdout_received(data)

    def eof_received(self) -> bool:
        """Called by asyncssh at the end of all output. Our side stays open."""
        self.closed()
        return True

    def exit_status_received(self, status: int) -> None:
        """Called by asyncssh when the process has ended by itself."""
        self.has_ended(status)

    def exit_signal_received(self, signal_name: str, core_dumped: bool, msg: str, lang: str) -> None:
        """Called by asyncssh when a signal has ended the process."""
        number = getattr(signal, f"SIG{signal_name}", signal.SIGKILL)
        self.has_ended(-int(number))

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncssh when the channel is closed, with its connection or alone."""
        if exc is None and self.is_over:
            self.closed()
        else:
            self.broke(lost(exc, self.host))

    def close_input(self) -> None:
        """As `Channel.close_input`."""
        self._channel.write_eof()

    def kill(self) -> None:
        """As `Channel.kill`."""
        if not self.is_over:
            with contextlib.suppress(OSError):  # it may be closed already
                self._channel.kill()
        # sshd before 7.9 knows no signals, later ones spare root and sudo: their streams are all we can take.
        self._channel.abort()
        self.has_ended(-signal.SIGKILL)
        self.closed()

    def _send(self, data: bytes) -> None:
        self._channel.write(data)

    def _unsent(self) -> int:
        return self._channel.get_write_buffer_size()

    def _pause_reading(self) -> None:
        self._channel.pause_reading()

    def _resume_reading(self) -> None:
        self._channel.resume_reading()
