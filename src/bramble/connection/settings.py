"""How hosts are reached: what holds for all hosts of a run."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..model import Host
from ..runner.secret import Secret
from .contract import Connection

if TYPE_CHECKING:
    from .connector import Connector


class HostKey(NamedTuple):
    """A key that a host shows.

    Attributes
    ----------
    kind
        Its type as in a known_hosts file: ``ssh-ed25519``.
    line
        The line for a known_hosts file, without a line end: ``red01 ssh-ed25519 AAAA…``.
    fingerprint
        ``SHA256:…`` as ssh-keygen prints it.
    """

    kind: str
    line: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings:
    """How hosts are reached; one object for a run.

    Connections made with the same object share what can be shared (known host keys are read once, the bound on
    handshakes holds for all, a jump host is connected to once), so an object belongs to one event loop.

    Attributes
    ----------
    known_hosts
        Files of host keys that are bramble's own.
    user_known_hosts, system_known_hosts
        Further files, that bramble never writes. ``UserKnownHostsFile`` and ``GlobalKnownHostsFile`` in
        ~/.ssh/config take their place.
    accept_new
        Accept the key of a host that was never seen. A changed key is refused all the same.
    on_new_key
        Called with each key that ``accept_new`` let in, so that it can be remembered.
    connect_timeout
        Seconds until a host must have taken the connection, and again until it must have shown its key.
    login_timeout
        Seconds from there until the login must be done. A Pi Zero that has just booted needs more than ten.
    keepalive, keepalive_count
        A host that says nothing is asked every so many seconds, and given up after so many questions without an
        answer: with the defaults a host that is cut off counts as lost after 20 s.
    connections
        How many handshakes go on at the same moment. One costs the controller some 3 ms of processor time; the
        rest is waiting for the host.
    password
        For logins where no key is accepted.
    keys
        Files of private keys to offer before those of ~/.ssh.
    agent
        Whether to ask the ssh-agent.
    config
        The OpenSSH client configuration; "" for none.
    local
        Names that mean this machine: no SSH, only subprocesses.
    opener
        Opens every connection in place of all this, such as `FakeHosts`.
    """

    known_hosts: tuple[str, ...] = ()
    user_known_hosts: str = "~/.ssh/known_hosts"
    system_known_hosts: str = "/etc/ssh/ssh_known_hosts"
    accept_new: bool = False
    on_new_key: Callable[[Host, HostKey], None] | None = field(default=None, repr=False)
    connect_timeout: float = 10.0
    login_timeout: float = 30.0
    keepalive: float = 5.0
    keepalive_count: int = 3
    connections: int = 32
    password: Secret | None = field(default=None, repr=False)
    keys: tuple[str, ...] = ()
    agent: bool = True
    config: str = "~/.ssh/config"
    local: frozenset[str] = frozenset()
    opener: Callable[[Host], Awaitable[Connection]] | None = field(default=None, repr=False)

    @functools.cached_property
    def connector(self) -> Connector:
        """What connections with these settings share. Made at first use."""
        from .connector import Connector  # noqa: PLC0415 - which imports this module

        return Connector(self)
