"""Terminals on hosts, for a person to type in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Unpack

from ..connection import connect, terminal
from ..errors import AuthenticationFailed, HostError
from .each import in_words
from .reach import Reach, resolve, settings


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """The way to a terminal on one host.

    Attributes
    ----------
    host
        Its name.
    argv
        The command that opens it: OpenSSH's client, with the same way, keys and known host keys as bramble's own
        connections, checked as strictly.
    error
        Why none can be opened; empty where one can.
    """

    host: str
    argv: tuple[str, ...]
    error: str = ""


async def shell(**reach: Unpack[Reach]) -> tuple[Terminal, ...]:
    """The commands that open a terminal on each host; each host is looked for first, and its key is checked.

    A host that lets bramble in with no key is no error: there, ssh asks for a password or for a key's passphrase.
    """
    cluster, how = resolve(reach), settings(reach)

    async def one(name: str) -> Terminal:
        host = cluster.host(name)
        error = ""
        try:
            await (await connect(host, how)).close()
        except AuthenticationFailed:
            pass  # a person may know what we do not
        except HostError as failed:
            error = in_words(failed)
        return Terminal(host=name, argv=tuple(terminal(host, how)), error=error)

    return tuple(await asyncio.gather(*(one(host.name) for host in cluster.hosts)))
