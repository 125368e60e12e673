"""The disks of this machine: which are cards, what is on them, and which are never written."""

from __future__ import annotations

import platform
from pathlib import Path

from ...errors import BrambleError, CardRefused
from . import linux, macos, seen
from .disk import Disk, Part, Refusal
from .refusals import LARGEST, refusals

__all__ = ["LARGEST", "Disk", "Part", "Refusal", "disk_at", "disks", "refusals"]


def disks() -> tuple[Disk, ...]:
    """All disks of this machine and its card readers, empty ones included.

    Raises
    ------
    BrambleError
        They cannot be listed here.
    """
    match platform.system():
        case "Linux":
            return linux.parse(linux.listed(), seen.look())
        case "Darwin":
            return macos.parse(*macos.listed())
        case other:
            hint = "write image files (--output), and flash them by any tool for that"
            raise BrambleError(f"bramble knows no disks on {other}", hint=hint)


def disk_at(path: str) -> Disk:
    """The disk at a path; links such as those in ``/dev/disk/by-id`` are followed.

    Raises
    ------
    CardRefused
        There is none, or it is a partition.
    """
    real = str(Path(path).resolve())
    found = disks()
    for disk in found:
        if disk.path == real:
            return disk
        if real in [part.path for part in disk.parts]:
            raise CardRefused(f"{path} is a partition", hint=f"name the whole disk: {disk.path}")
    why = "it is none of this machine's disks" if Path(real).exists() else "there is no such device"
    raise CardRefused(f"{path} cannot be a card", why=why, hint="bramble cards list")
