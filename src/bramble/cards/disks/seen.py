"""What /sys and /proc tell of disks beyond lsblk: mounts elsewhere, files behind loop devices, which medium it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .linux import Seen

_SYS, _PROC = Path("/sys/block"), Path("/proc")


def look() -> Seen:
    """Gather it; what we may not look into stays out."""
    loops = {path.parent.parent.name: _text(path) for path in _SYS.glob("loop*/loop/backing_file")}
    return Seen(
        mounts=_mounts(),
        swaps=frozenset(line.split()[0] for line in _text(_PROC / "swaps").splitlines()[1:]),
        loops=loops,
        homes={name: home for name, behind in loops.items() if (home := _home(behind))},
        sequences={path.parent.name: int(_text(path) or 0) for path in _SYS.glob("*/diskseq")},
        cards={
            path.name: (_text(path / "device/name"), _text(path / "device/serial")) for path in _SYS.glob("mmcblk*")
        },
    )


def _text(path: Path) -> str:
    """A file of the kernel's; empty where it went meanwhile, or where we may not."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _home(behind: str) -> str:
    """Number of the device that a file is on, or that a device is; empty where it cannot be seen from here."""
    try:
        found = os.stat(behind)
    except OSError:
        return ""
    number = found.st_rdev if stat.S_ISBLK(found.st_mode) else found.st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def _mounts() -> dict[str, tuple[str, ...]]:
    """Device number and path → places, of every mount namespace once."""
    found: dict[str, dict[str, None]] = {}
    for table in _namespaces():
        for line in table.splitlines():
            before, _, after = line.partition(" - ")
            words, behind = before.split(), after.split()
            if len(words) >= 5 and len(behind) >= 2:
                for key in (words[2], _plain(behind[1])):
                    found.setdefault(key, {})[_plain(words[4])] = None
    return {key: tuple(places) for key, places in found.items()}


def _namespaces() -> Iterator[str]:
    """The table of mounts of each namespace that a process of ours, or as root of anybody's, lives in."""
    yield _text(_PROC / "self/mountinfo")
    known = set()
    for process in _PROC.glob("[0-9]*"):
        try:
            namespace = os.readlink(process / "ns/mnt")
        except OSError:
            continue
        if namespace not in known:
            known.add(namespace)
            yield _text(process / "mountinfo")


def _plain(word: str) -> str:
    """A word of the table with its blanks put back: the kernel writes them as octal numbers."""
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        word = word.replace(code, character)
    return word
