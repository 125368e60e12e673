"""What a card would boot as, and whether that is what bramble expects of its host."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import inventory
from ..cards.read_back import CardContent, read_back
from ..errors import BrambleError, UsageError
from ..model import Host


@dataclass(frozen=True, kw_only=True)
class CardCheck:
    """What `cards_check` found.

    Attributes
    ----------
    host, device
        Whose card it was said to be; empty for nobody's. Which card reader, or file.
    found
        What it says of itself.
    problems
        What is not as bramble expects it, and what to do.
    """

    host: str
    device: str
    found: CardContent
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether it would boot as that host."""
        return not self.problems


async def cards_check(host: str = "", *, device: str, cluster: str = "") -> CardCheck:
    """Read a card back, and tell what it would boot as. Nothing is written.

    Parameters
    ----------
    host
        Whose card it is to be; empty to ask only what it is.
    device
        The card reader, or a file with the card's image.
    cluster
        The cluster that the host is in; else the one that knows it.

    Raises
    ------
    UsageError
        There is no such device, or it may not be read.
    BrambleError
        It holds no system for a Pi, or burning it was cut off.
    """
    found = await asyncio.to_thread(_read, Path(device))
    known = inventory.resolve(hosts=host, cluster=cluster).hosts if host else ()
    if len(known) > 1:
        raise UsageError("a card is of one host", hint="name one: bramble cards check red01 --device /dev/sda")
    problems = tuple(_differences(known[0], found)) if known else ()
    return CardCheck(host=host, device=device, found=found, problems=problems)


def _read(path: Path) -> CardContent:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        hint = "cards belong to root: sudo" if isinstance(error, PermissionError) else "bramble cards list"
        raise UsageError(f"{path} cannot be read", why=error.strerror or str(error), hint=hint) from None
    try:
        # What is in memory of it may be older, where another program wrote it.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return read_back(_Reading(descriptor))
    except OSError as error:
        why = error.strerror or str(error)
        hint = "put it in again; if that happens again, it is worn out"
        raise BrambleError(f"{path} cannot be read", why=why, hint=hint) from None
    finally:
        os.close(descriptor)


class _Reading:
    """A card that is only read."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        raise AssertionError("a card that is looked at is not written")


def _differences(host: Host, found: CardContent) -> Iterator[str]:
    again = f"bramble cards burn --hosts {host.name} --devices …"
    if found.started:
        return  # what it was made for is no longer on it, and it may have been changed since
    if not found.hostname:
        yield f"it was not made for any host ({again})"
        return
    if found.hostname != host.name:
        yield f"it is the card of {found.hostname}, not of {host.name}"
    own = found.address.partition("/")[0]
    if host.address and own != host.address:
        has = f"has the address {own}" if own else "gets its address by DHCP"
        yield f"it {has}, and the cluster file says {host.address} ({again})"
    if host.user and found.user and found.user != host.user:
        yield f"it lets in {found.user}, and the cluster file says {host.user} ({again})"
    known = inventory.fingerprints(host)
    if found.host_keys and not known & set(found.host_keys):
        other = "another one is known" if known else "none is known"
        yield f"bramble does not know its host key, {', '.join(found.host_keys)}: {other} ({again})"
