"""What this machine is called, and where it is found: the names that its certificate is for."""

from __future__ import annotations

import ipaddress
import re
import socket

import ifaddr

from ..errors import UsageError

#: By these, a machine calls itself.
LOOPBACK = ("localhost", "127.0.0.1", "::1")

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")


def here(address: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names by which a service that listens on ``address`` may be called, its addresses, and what is given.

    Raises
    ------
    UsageError
        One that is given can be no name.
    """
    given = tuple(checked(name) for name in more)
    host = socket.gethostname().lower()
    own = (host, f"{host.partition('.')[0]}.local") if _NAME.fullmatch(host) else ()
    found = addresses() if is_any(address) else ()
    return tuple(dict.fromkeys((*own, *LOOPBACK, *given, *found)))


def is_any(address: str) -> bool:
    """Whether it stands for all addresses of this machine: ``0.0.0.0`` and ``::``.

    Raises
    ------
    UsageError
        It is no address.
    """
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        hint = "an address of this machine, or 0.0.0.0 for all of them"
        raise UsageError(f"{address!r} is no address to listen on", hint=hint) from None


def checked(name: str) -> str:
    """A name or an address as it is compared.

    Raises
    ------
    UsageError
        It is neither.
    """
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if _NAME.fullmatch(name.lower()):
            return name.lower()
    raise UsageError(
        f"{name!r} can be no name of this machine", hint="a name or an address: red.example.org, 192.0.2.7"
    )


def addresses() -> tuple[str, ...]:
    """Addresses of this machine that others can use; IPv6 ones of a link alone cannot stand in a URL."""
    found = []
    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            text = one.ip if isinstance(one.ip, str) else one.ip[0]
            parsed = ipaddress.ip_address(text)
            if not (parsed.is_loopback or (parsed.version == 6 and parsed.is_link_local)):
                found.append(str(parsed))
    return tuple(sorted(set(found)))
