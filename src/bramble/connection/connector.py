"""Opening connections: by SSH, on this machine, or by whatever the settings say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..model import Host
from .contract import Connection
from .local import LocalConnection
from .settings import HostKey, Settings

if TYPE_CHECKING:
    from .ssh.client import Client


async def connect(host: Host, settings: Settings) -> Connection:
    """Open a connection to a host.

    Raises
    ------
    Unreachable
        The name does not resolve, there is no way to it, the port is refused, nothing answers in time, or what
        answers does not speak SSH.
    UnknownHostKey, ChangedHostKey
        The host shows a key that was not accepted before.
    AuthenticationFailed
        It accepts none of the keys and passwords at hand, or the key that was named cannot be used.
    UsageError
        ~/.ssh/config cannot be read; says where.
    """
    return await settings.connector.connect(host)


async def fetch_host_keys(host: Host, settings: Settings | None = None) -> list[HostKey]:
    """All keys that a host shows now, one for each type it has, the best type first. Nothing is believed or stored.

    Raises
    ------
    HostError
        As `connect`, except for the host's own keys; those of jump hosts are checked.
    """
    return await (settings or Settings()).connector.host_keys(host)


def terminal(host: Host, settings: Settings) -> list[str]:
    """The command, for OpenSSH's client, that opens a terminal on a host: the same way, keys and known host keys.

    Raises
    ------
    UsageError
        ~/.ssh/config cannot be read; says where.
    """
    return settings.connector.terminal(host)


class Connector:
    """What connections of one run share: the bound on handshakes, known host keys, identities, jump hosts.

    Use it through `connect` with one `Settings` object, or make one by hand.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._slots = asyncio.Semaphore(settings.connections)
        self._client: Client | None = None

    async def connect(self, host: Host) -> Connection:
        """As the function `connect`."""
        if self.settings.opener is not None:
            return await self.settings.opener(host)
        if host.name in self.settings.local:
            return LocalConnection(host)
        async with self._slots:
            return await self._ssh().connect(host)

    async def host_keys(self, host: Host) -> list[HostKey]:
        """As `fetch_host_keys`."""
        async with self._slots:
            return await self._ssh().host_keys(host)

    def terminal(self, host: Host) -> list[str]:
        """As the function `terminal`."""
        return self._ssh().terminal(host)

    def _ssh(self) -> Client:
        if self._client is None:
            # asyncssh takes a quarter of a second to import, which only those who use it should pay.
            from .ssh.client import Client  # noqa: PLC0415

            self._client = Client(self.settings)
        return self._client
