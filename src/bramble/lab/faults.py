"""What befalls a host without switching it off: the network goes, its processes stop, its disk is full. And healing."""

from __future__ import annotations

from bramble.lab import disks, network, power
from bramble.lab.requirements import require
from bramble.lab.state import changing, existing


def cut(name: str, host: str) -> None:
    """Cut a host off the network: the bridge swallows all its packets, both ways. Restarting it heals it too."""
    _connect(name, host, connected=False)


def heal(name: str, host: str) -> None:
    """Connect a host again that was cut off."""
    _connect(name, host, connected=True)


def _connect(name: str, host: str, *, connected: bool) -> None:
    require()
    with changing(name):
        lab = existing(name)
        power.require_on(lab, lab.host(host))
        network.connect(lab, lab.host(host), connected)


def pause(name: str, host: str) -> None:
    """Stop all processes of a host in their tracks; its kernel still answers pings, nothing else does."""
    _freeze(name, host, frozen=True)


def resume(name: str, host: str) -> None:
    """Let a paused host go on."""
    _freeze(name, host, frozen=False)


def _freeze(name: str, host: str, *, frozen: bool) -> None:
    require()
    with changing(name):
        lab = existing(name)
        power.require_on(lab, lab.host(host)).freeze(frozen)


def fill(name: str, host: str, path: str = "/", *, leave: int = 0) -> None:
    """Fill a host's small disk up but for ``leave`` bytes, with ballast that the host does not see.

    Raises
    ------
    UsageError
        There is no small disk at that path: see :func:`bramble.lab.small_disk`.
    """
    require()
    with changing(name):
        lab = existing(name)
        disks.fill(lab, lab.host(host), path, leave)


def drain(name: str, host: str, path: str = "/") -> None:
    """Take the ballast out of a host's small disk again."""
    require()
    with changing(name):
        lab = existing(name)
        disks.drain(lab, lab.host(host), path)
