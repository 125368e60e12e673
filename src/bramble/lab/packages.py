"""Packages that any host of any lab ever downloaded, lent to new hosts: apt finds them in its own archive folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bramble.lab.state import cache_folder

#: Where apt keeps what it downloaded, below a host's root.
ARCHIVES = "var/cache/apt/archives"


def _shelf(release: str) -> Path:
    return cache_folder() / "packages" / release


def lend_packages(release: str, archives: Path) -> None:
    """Put the packages kept for a release into a host's apt archive; hard links where the disk allows."""
    for package in _shelf(release).glob("*.deb"):
        _link(package, archives / package.name)


def keep_packages(release: str, archives: Path) -> None:
    """Keep the packages that a host downloaded. apt checks every one against its index again before it uses it."""
    shelf = _shelf(release)
    shelf.mkdir(parents=True, exist_ok=True)
    for package in archives.glob("*.deb"):
        if not (shelf / package.name).exists():
            _link(package, shelf / package.name)


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    os.replace(part, target)
