"""One entry of a host set: ``[user@]name[:port]``, where the name is a host name or an address.

One colon separates a port; two or more make an IPv6 address, which stands in brackets where a port follows it:
``red01``, ``pi@red01:2222``, ``10.1.1.1``, ``fe80::1``, ``fe80::1%eth0``, ``pi@[2001:db8::1]:2222``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_BRACKETED = re.compile(r"\[(?P<name>[^\[\]]*)\](?::(?P<port>.*))?")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The parts of an entry; its text (``str``) is the one normal form, so equal hosts have equal texts.

    Attributes
    ----------
    name
        Host name (RFC 1123) or address; IPv6 in its shortest form (RFC 5952).
    user
        Log in as this user; empty where the entry names none.
    port
        TCP port of sshd; 0 where the entry names none.
    """

    name: str
    user: str = ""
    port: int = 0

    def __str__(self) -> str:
        name = f"[{self.name}]:{self.port}" if self.port and ":" in self.name else self.name
        if self.port and ":" not in self.name:
            name += f":{self.port}"
        return f"{self.user}@{name}" if self.user else name

    @classmethod
    def parse(cls, text: str) -> Entry:
        """Take an entry apart and check its parts.

        Raises
        ------
        ValueError
            With one sentence that a person can use.
        """
        user, at, rest = text.rpartition("@")
        if at and not _USER.fullmatch(user):
            raise ValueError(f"{user!r} is not a user name" if user else "there is no user name before the @")
        bracketed = _BRACKETED.fullmatch(rest)
        if bracketed:
            name, port = bracketed["name"], bracketed["port"]
            return cls(name=ipv6(name), user=user, port=_port(port) if port is not None else 0)
        if rest.count(":") > 1:
            return cls(name=ipv6(rest), user=user)
        name, colon, port = rest.partition(":")
        check_name(name)
        return cls(name=name, user=user, port=_port(port) if colon else 0)


def check_name(name: str) -> None:
    """Raise ValueError where ``name`` is neither a host name by RFC 1123 nor an IPv4 address; says what is wrong."""
    if not name:
        raise ValueError("a host name is missing")
    if len(name) > 253:
        raise ValueError("a host name has at most 253 characters")
    labels = name.split(".")
    # RFC 1123 2.1: what ends in a number is an address, never a name; `1` would be taken for 0.0.0.1.
    if labels[-1].isdigit():
        try:
            IPv4Address(name)
        except ValueError:
            zeros = any(len(label) > 1 and label.startswith("0") for label in labels)
            why = "its numbers have no leading zeros" if zeros else "and a host name does not end in a number alone"
            raise ValueError(f"{name} is not an IPv4 address: {why}") from None
        return
    for label in labels:
        if not label:
            raise ValueError(f"{name!r} has a dot too many")
        if len(label) > 63:
            raise ValueError("a part of a host name has at most 63 characters")
        if not _LABEL.fullmatch(label):
            odd = re.search(r"[^A-Za-z0-9-]", label)
            why = f"{odd[0]!r} cannot stand in it" if odd else "it begins or ends with '-'"
            raise ValueError(f"{name!r} is not a host name: {why}")


def ipv6(text: str) -> str:
    """The shortest form of an IPv6 address, its zone kept; ValueError where it is none."""
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise ValueError(f"{text} is not an IPv6 address") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise ValueError(f"{text!r} is not a port (1-65535)")
    return int(text)
