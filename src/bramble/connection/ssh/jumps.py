"""Jump hosts: one connection to each, shared by all hosts behind it, kept as long as one of them needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncssh

from ...errors import HostError, UnknownHostKey
from ...model import Host

#: Seconds for which a jump host that cannot be reached is not tried again: a thousand hosts behind it shall not wait
#: for it one after the other.
_REMEMBERED = 15.0

#: Opens the connection to the last of these hosts, through those before it.
Opener = Callable[[tuple[Host, ...], tuple[str, ...]], Awaitable[asyncssh.SSHClientConnection]]


class Jumps:
    """The jump hosts of one run."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._gates: dict[str, _Gate] = {}

    async def enter(self, hops: tuple[Host, ...], host: str, trail: tuple[str, ...]) -> Pass:
        """A way through these hosts, for ``host``; to be given back with `Pass.leave`.

        Raises
        ------
        HostError
            A jump host cannot be used; says which and why, in the name of ``host``.
        """
        key = repr(hops)
        gate = self._gates.get(key)
        if gate is None or gate.is_over():
            gate = self._gates[key] = _Gate(self._opener, hops, trail)
        try:
            return Pass(gate, await gate.enter())
        except HostError as error:
            raise _through(hops[-1].name, host, error) from None


class _Gate:
    """The connection to a jump host."""

    def __init__(self, opener: Opener, hops: tuple[Host, ...], trail: tuple[str, ...]) -> None:
        self._users = 0
        self._failed_at: float | None = None
        self._opening = asyncio.ensure_future(self._open(opener, hops, trail))

    async def _open(
        self, opener: Opener, hops: tuple[Host, ...], trail: tuple[str, ...]
    ) -> asyncssh.SSHClientConnection:
        try:
            return await opener(hops, trail)
        except Exception:
            self._failed_at = asyncio.get_running_loop().time()
            raise

    def is_over(self) -> bool:
        if not self._opening.done():
            return False
        if self._failed_at is not None:
            return asyncio.get_running_loop().time() - self._failed_at > _REMEMBERED
        return self._opening.cancelled() or self._opening.result().is_closed()

    async def enter(self) -> asyncssh.SSHClientConnection:
        self._users += 1
        try:
            # Whoever gives up must not take the connection away from those who also wait for it.
            return await asyncio.shield(self._opening)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        self._users -= 1
        if self._users:
            return
        if not self._opening.done():
            self._opening.cancel()
        elif not self._opening.cancelled() and self._failed_at is None:
            self._opening.result().close()


class Pass:
    """A way through a jump host. Takes the place of asyncssh's own notion of a tunnel.

    Attributes
    ----------
    connection
        The connection to the jump host.
    """

    def __init__(self, gate: _Gate, connection: asyncssh.SSHClientConnection) -> None:
        self.connection = connection
        self._gate: _Gate | None = gate

    def leave(self) -> None:
        """Give it back. Harmless the second time."""
        if self._gate is not None:
            gate, self._gate = self._gate, None
            gate.leave()

    def to(self, address: str, port: int) -> Tunnel:
        """The tunnel to a host behind the jump host."""
        return Tunnel(self.connection, address, port)


class Tunnel:
    """A connection through a jump host, in the form that asyncssh takes."""

    def __init__(self, connection: asyncssh.SSHClientConnection, address: str, port: int) -> None:
        self._connection, self._address, self._port = connection, address, port

    async def create_connection(self, session_factory: Any, remote_host: str, remote_port: int) -> Any:
        """Called by asyncssh. The address is ours: it would take the one from ~/.ssh/config in any case."""
        return await self._connection.create_connection(session_factory, self._address, self._port)

    def close(self) -> None:
        """Called by asyncssh; the connection is closed by `Pass.leave`."""

    async def wait_closed(self) -> None:
        """Called by asyncssh."""


def _through(gate: str, host: str, error: HostError) -> HostError:
    """The trouble of a jump host, told of the host behind it."""
    what = f"through {gate}: {error.what}"
    if isinstance(error, UnknownHostKey):
        return type(error)(what, host=host, fingerprint=error.fingerprint, why=error.why, hint=error.hint)
    return type(error)(what, host=host, why=error.why, hint=error.hint)
