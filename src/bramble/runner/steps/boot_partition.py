"""Text files that the firmware reads before there is a kernel, and since when this boot runs."""

from __future__ import annotations

import os
import time

from ..step import StepError
from ..system import System
from .filesystem import write


def find(system: System, places: "tuple[str, ...]", what: str) -> str:
    """The first of these files that is there and is the one that counts: bookworm leaves a decoy at the old place.

    Parameters
    ----------
    places
        Absolute paths, the best first.
    what
        What cannot be done without it, for people: ``kernel arguments cannot be set``.

    Raises
    ------
    StepError
        There is none.
    """
    name = os.path.basename(places[0])
    for place in places:
        path = system.path(place)
        if not os.path.isfile(path):
            continue
        if "DO NOT EDIT" in read(path).upper()[:400]:
            raise StepError(
                f"{place} only says that the file has moved to /boot/firmware, and there is none there",
                hint="mount the boot partition: sudo mount /boot/firmware",
            )
        return place
    raise StepError(
        f"this host has no {name}, so {what}",
        why=f"looked for {', '.join(places)}",
        hint="it has to be a Raspberry Pi with its boot partition mounted: mount | grep /boot",
    )


def read(path: str) -> str:
    """The text, line ends as they are: people edit these files under Windows, too."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def rewrite(path: str, text: str) -> None:
    """Put another text in a file's place; its mode and owner stay."""
    found = os.stat(path)
    write(path, text.encode("utf-8", "surrogateescape"), found.st_mode & 0o7777, found.st_uid, found.st_gid)


def boot_id(system: System) -> str:
    """The kernel's id of this boot."""
    return read(system.path("/proc/sys/kernel/random/boot_id")).strip()


def changed_since_boot(system: System, path: str) -> bool:
    """Whether a file was written after PID 1 was started: for a virtual Pi, that is not when the kernel was."""
    ticks = int(read(system.path("/proc/1/stat")).rpartition(")")[2].split()[19])
    uptime = float(read(system.path("/proc/uptime")).split()[0])
    return os.stat(path).st_mtime > time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
