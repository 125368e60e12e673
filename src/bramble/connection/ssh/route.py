"""The way to a host: the host's own fields, with ~/.ssh/config where they say nothing."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any

import asyncssh

from ...errors import UsageError
from ...model import Host
from ..known_hosts import SSH_PORT, written_name
from ..settings import Settings
from .config import Config

#: A jump host as written: user@host:port, [::1]:22, ssh://user@host:port.
_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:@\[\]]+))(?::(?P<port>\d+))?/?")

# All of these are strong, so the cheap ones lead. Measured on one core of a server, this side's part only: a login
# costs 3.0 ms of processor time with curve25519 and AES-GCM, 4.8 ms with ChaCha20, 7.1 ms with ML-KEM and ChaCha20; a
# second of it sends 278 MB with AES-GCM, 137 MB with ChaCha20. Nothing that asyncssh offers by itself is left out, so
# that old and exotic servers are still reached.
_KEX_FIRST = ("curve25519-sha256", "curve25519-sha256@libssh.org", "mlkem768x25519-sha256", "ecdh-sha2-nistp256")
_CIPHERS_FIRST = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")


@dataclass(frozen=True)
class Route:
    """The way to a host.

    Attributes
    ----------
    host
        The host itself.
    address
        The name or address to connect to.
    port, user
        Where and as whom.
    alias
        The name its key is known by, "" for its own (``HostKeyAlias``).
    jumps
        The hosts to go through, in order.
    family, source
        Kind of address, and our own address, where ~/.ssh/config says so.
    known_hosts
        Files of host keys.
    options
        What asyncssh made of ~/.ssh/config.
    """

    host: Host
    address: str
    port: int
    user: str
    alias: str
    jumps: tuple[Host, ...]
    family: int
    source: str
    known_hosts: tuple[str, ...]
    options: asyncssh.SSHClientConnectionOptions

    @property
    def proxied(self) -> bool:
        """Whether a command of the user's (``ProxyCommand``) makes the connection."""
        return not self.jumps and self.options.proxy_command is not None

    @property
    def written(self) -> str:
        """The host's name in a new line of a known_hosts file."""
        return self.alias.lower() or written_name(self.host.name, self.port)

    @property
    def principal(self) -> str:
        """The name that a certificate of the host must be made out to."""
        is_address = re.fullmatch(r"[0-9.]+|.*:.*", self.address)
        return self.alias or (self.host.name if is_address else self.address)

    def names(self, peer: str = "") -> list[str]:
        """The names its key can be known by, as in a known_hosts file, the most telling first.

        ``peer`` is the address it was found at.
        """
        names = [written_name(name, self.port) for name in (self.host.name, self.address, peer) if name]
        return list(dict.fromkeys([self.alias.lower(), *names] if self.alias else names))

    def bare_names(self, peer: str = "") -> list[str]:
        """The names without a port, where that makes a difference."""
        return [] if self.port == SSH_PORT else [n.lower() for n in (self.host.name, self.address, peer) if n]

    def setting(self, keyword: str) -> Any:
        """What ~/.ssh/config says for a keyword; None where it says nothing."""
        return self.options.config.get(keyword)


def route(host: Host, settings: Settings, config: Config) -> Route:
    """The way to a host.

    Raises
    ------
    UsageError
        ~/.ssh/config, or the jump host, cannot be understood.
    """
    options = config.options(host)
    own = (host.known_hosts,) if host.known_hosts else ()
    jump = host.jump or (options.tunnel if isinstance(options.tunnel, str) else "")
    return Route(
        host=host,
        address=host.address or options.host,
        port=options.port,
        user=options.username,
        alias=options.host_key_alias or "",
        jumps=jumps(jump, host),
        family=int(options.family or socket.AF_UNSPEC),
        source=str(options.config.get("BindAddress") or ""),
        known_hosts=(
            *own,
            *settings.known_hosts,
            *_words(options.config.get("UserKnownHostsFile", settings.user_known_hosts)),
            *_words(options.config.get("GlobalKnownHostsFile", settings.system_known_hosts)),
        ),
        options=options,
    )


def jumps(text: str, host: Host) -> tuple[Host, ...]:
    """The hosts in ``user@gate:2222,second``. They show their keys too, and may be logged in to with the host's.

    Raises
    ------
    UsageError
        It cannot be understood.
    """
    if text.strip().lower() in ("", "none"):
        return ()
    found = []
    for word in text.split(","):
        parts = _JUMP.fullmatch(word.strip())
        if parts is None or int(parts["port"] or 0) > 65535:
            raise UsageError(f"the jump host {word!r} of {host.name} is not understood", hint="write user@host:port")
        name = parts["v6"] or parts["name"]
        port, user = int(parts["port"] or 0), parts["user"] or ""
        found.append(Host(name=name, user=user, port=port, key=host.key, known_hosts=host.known_hosts))
    return tuple(found)


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, (list, tuple)) else (str(value),)


def preferred(options: asyncssh.SSHClientConnectionOptions) -> dict[str, list[str]]:
    """The order of algorithms, as arguments of `asyncssh.connect`; the user's own choice stands."""
    order = {}
    for argument, keyword, first, offered in (
        ("kex_algs", "KexAlgorithms", _KEX_FIRST, options.kex_algs),
        ("encryption_algs", "Ciphers", _CIPHERS_FIRST, options.encryption_algs),
    ):
        if options.config.get(keyword) is None:
            names = [name.decode() for name in offered if not name.startswith(b"gss-")]
            order[argument] = [n for n in first if n in names] + [n for n in names if n not in first]
    return order
