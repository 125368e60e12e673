"""Hosts that speak SSH but are not there: servers inside this process, for tests and benchmarks.

A test starts one in its own event loop::

    async with SimulatedHost("red01") as red01:
        connection = await connect(red01.host, Settings(known_hosts=(red01.known_hosts(folder),)))

What a host does when a command arrives is a function, ``async (command, stdin, stdout) -> status``; `shell` runs it
here for real. For many hosts in a process of their own see ``tests/sshfarm.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

from bramble.connection.inbox import Inbox
from bramble.connection.local import LocalChannel
from bramble.errors import HostError
from bramble.model import Host


class Output:
    """Where a program prints."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = channel
        self._room = asyncio.Event()
        self._room.set()

    def write(self, data: bytes) -> None:
        """Print to standard output."""
        self._channel.write(data)

    def error(self, data: bytes) -> None:
        """Print to standard error."""
        self._channel.write(data, asyncssh.EXTENDED_DATA_STDERR)

    async def drain(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    def full(self, full: bool) -> None:
        """Called as the room goes and comes."""
        if full:
            self._room.clear()
        else:
            self._room.set()


#: What a host does with a command: the command, what it reads, where it prints; returns the status, negative for a
#: signal. The same program answers in a `FakeConnection`.
Program = Callable[[str, Inbox, Any], Awaitable[int]]


async def shell(command: str, stdin: Inbox, stdout: Output) -> int:
    """Run a command on this machine, as sshd would."""
    channel = await LocalChannel.start("here", command, whole_stderr=True)
    assert channel.stderr is not None

    async def give() -> None:
        with contextlib.suppress(HostError):
            while data := await stdin.read(65536):
                await channel.write(data)
        channel.close_input()

    async def take(box: Inbox, put: Callable[[bytes], None]) -> None:
        while data := await box.read(65536):
            put(data)
            await stdout.drain()

    giving = asyncio.create_task(give())
    try:
        await asyncio.gather(take(channel.stdout, stdout.write), take(channel.stderr, stdout.error))
        return await channel.wait()
    finally:
        giving.cancel()
        channel.kill()
        await channel.gone.wait()


class SimulatedHost:
    """One host: a listening socket, host keys, one user.

    Parameters
    ----------
    name
        What clients call it.
    program
        What it does with commands.
    address, port
        Where it listens; port 0 for any that is free.
    keys
        Its host keys; a fresh Ed25519 key without.
    user, authorized, password
        Who may log in, with which public key (any without) and which password (none without).
    keys_taken, questions, tries
        Whether keys are taken at all, whether passwords are asked for by keyboard-interactive, and how many tries of
        keys a connection has, as ``MaxAuthTries``.
    sessions
        How many processes it starts at once over one connection, as ``MaxSessions``.
    banner
        What it says before a login.
    algorithms
        Those it speaks, as arguments of `asyncssh.listen`.

    Attributes
    ----------
    ends_logins, login_takes, deaf
        It hangs up on whoever logs in; seconds that a login takes; it does not know signals.
    logins
        How many connections it has taken so far.
    offered, passwords
        The public keys it was shown, in order; how many passwords it was told.
    commands
        Those it was given, in order.
    """

    def __init__(
        self,
        name: str = "red01",
        program: Program = shell,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        keys: Sequence[asyncssh.SSHKey] = (),
        user: str = "pi",
        authorized: asyncssh.SSHKey | None = None,
        password: str = "",
        keys_taken: bool = True,
        questions: bool = False,
        tries: int = 100,
        sessions: int = 10,
        banner: str = "",
        **algorithms: Sequence[str],
    ) -> None:
        self.name, self.program, self.address, self.port = name, program, address, port
        self.keys = list(keys) or [asyncssh.generate_private_key("ssh-ed25519")]
        self.user, self.authorized, self.password = user, authorized, password
        self.sessions, self.banner, self.algorithms = sessions, banner, algorithms
        self.keys_taken, self.questions, self.tries = keys_taken, questions, tries
        self.ends_logins, self.login_takes, self.deaf = False, 0.0, False
        self.logins = 0
        self.offered: list[bytes] = []
        self.passwords = 0
        self.commands: list[str] = []
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self._server: asyncssh.SSHAcceptor | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncssh.listen(
            self.address,
            self.port,
            server_factory=lambda: _Server(self),
            server_host_keys=self.keys,
            encoding=None,
            gss_host=None,
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
            **self.algorithms,
        )
        self.port = self._server.get_port()

    @property
    def host(self) -> Host:
        """The way to it."""
        return Host(name=self.name, address=self.address, port=self.port, user=self.user)

    @property
    def lines(self) -> list[str]:
        """Its lines for a known_hosts file."""
        name = self.name if self.port == 22 else f"[{self.name}]:{self.port}"
        return [f"{name} {key.export_public_key().decode().strip()}" for key in self.keys]

    def known_hosts(self, folder: Path) -> str:
        """A known_hosts file with its keys."""
        path = folder / f"known_hosts.{self.name}"
        path.write_text("".join(f"{line}\n" for line in self.lines))
        return str(path)

    def drop(self) -> None:
        """Cut all connections, as a host does that loses power."""
        for connection in self.connections:
            connection.abort()
        self.connections.clear()

    async def close(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is not None:
            self._server.close()
            self.drop()
            await self._server.wait_closed()
            await asyncio.sleep(0)  # the sessions learn of it
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Server(asyncssh.SSHServer):
    """One connection to a host. asyncssh calls it by the names that it knows."""

    def __init__(self, host: SimulatedHost) -> None:
        self.host = host
        self.running = 0
        self.tried = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self.host.logins += 1
        self.host.connections.append(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection in self.host.connections:
            self.host.connections.remove(self._connection)

    async def begin_auth(self, username: str) -> bool:
        if self.host.banner:
            self._connection.send_auth_banner(self.host.banner)
        if self.host.ends_logins:
            raise asyncssh.DisconnectError(asyncssh.DISC_TOO_MANY_CONNECTIONS, "too busy")
        await asyncio.sleep(self.host.login_takes)
        return True

    def public_key_auth_supported(self) -> bool:
        return self.host.keys_taken

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        if key.public_data not in self.host.offered:
            self.host.offered.append(key.public_data)
        self.tried += 1
        if self.tried > self.host.tries:
            raise asyncssh.DisconnectError(asyncssh.DISC_PROTOCOL_ERROR, "Too many authentication failures")
        wanted = self.host.authorized
        return username == self.host.user and (wanted is None or key.public_data == wanted.public_data)

    def password_auth_supported(self) -> bool:
        return bool(self.host.password) and not self.host.questions

    def validate_password(self, username: str, password: str) -> bool:
        self.host.passwords += 1
        return username == self.host.user and password == self.host.password

    def kbdint_auth_supported(self) -> bool:
        return bool(self.host.password) and self.host.questions

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        return self.validate_password(username, responses[0])

    def session_requested(self) -> asyncssh.SSHServerSession[bytes] | bool:
        if self.running >= self.host.sessions:
            return False
        self.running += 1
        return _Session(self)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True  # it may serve as a jump host


class _Session(asyncssh.SSHServerSession[bytes]):
    """One command on a host."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan
        self._stdin = Inbox(self._server.host.name, chan.pause_reading, chan.resume_reading)
        self._stdout = Output(chan)

    def exec_requested(self, command: str) -> bool:
        self._command = command
        return True

    def session_started(self) -> None:
        self._server.host.commands.append(self._command)
        self._task = asyncio.create_task(self._play())
        self._server.host.tasks.add(self._task)
        self._task.add_done_callback(self._server.host.tasks.discard)

    async def _play(self) -> None:
        status = await self._server.host.program(self._command, self._stdin, self._stdout)
        if status < 0:
            self._channel.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            self._channel.exit(status)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._stdin.feed(data)

    def eof_received(self) -> bool:
        self._stdin.end()
        return True

    def signal_received(self, signal: str) -> None:
        if self._server.host.deaf:
            return
        self._stop()
        self._channel.exit_with_signal(signal)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.running -= 1
        self._stop()

    def _stop(self) -> None:
        if self._task is not None and not self._task.cancelling():
            self._task.cancel()

    def pause_writing(self) -> None:
        self._stdout.full(True)

    def resume_writing(self) -> None:
        self._stdout.full(False)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something to become true; TimeoutError when it does not."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def write_key(path: Path, kind: str = "ssh-ed25519") -> asyncssh.SSHKey:
    """Make a private key, in a file that only its owner reads; returns its public half."""
    key = asyncssh.generate_private_key(kind)
    path.touch(mode=0o600)
    path.write_bytes(key.export_private_key())
    return key.convert_to_public()
