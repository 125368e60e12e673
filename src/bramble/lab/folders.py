"""Removing folders of our own, never through something that is mounted in them."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from bramble.errors import BrambleError
from bramble.lab.process import run


def remove_folder(folder: Path) -> None:
    """Remove a folder with all in it, but never through a mount: what is mounted below is unmounted first.

    Raises
    ------
    BrambleError
        Something below cannot be unmounted.
    """
    for point in mounts_below(folder):
        run(["umount", "--recursive", point], what=f"unmounting {point}")
    left = mounts_below(folder)
    if left:
        raise BrambleError(f"{folder} cannot be removed", why=f"something is mounted at {left[0]}")
    if folder.exists():
        shutil.rmtree(folder)


def mounts_below(folder: Path) -> list[Path]:
    """Mount points in this folder, the innermost first."""
    with open("/proc/self/mountinfo") as table:
        points = [Path(line.split()[4].encode().decode("unicode_escape")) for line in table]
    return [point for point in reversed(points) if point.is_relative_to(folder.resolve())]


def remove_if_empty(*folders: Path) -> None:
    """Remove folders that we may have made, unless somebody has put something into them."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
