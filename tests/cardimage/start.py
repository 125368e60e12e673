"""The first stage of the start: an initrd that loads what a virtual machine's disk needs, and finds the root."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

_INIT = """#!/bin/busybox sh
# The root is what the kernel's command line names, as on a Pi.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in /modules/*; do /bin/busybox insmod "$module"; done
for word in $(/bin/busybox cat /proc/cmdline); do
    case $word in root=*) root=${word#root=} ;; esac
done
until place=$(/bin/busybox findfs "$root"); do /bin/busybox sleep 0.2; done
/bin/busybox mount -t ext4 "$place" /root
/bin/busybox umount /proc
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""


def initrd(root: Path) -> bytes:
    """An archive as the kernel takes it (cpio, `newc`), from a root that :func:`~.system.make_root` made."""
    busybox = (root / "usr/bin/busybox").read_bytes()
    return b"".join(
        [
            *(_entry(name, 0o040755) for name in ("bin", "dev", "modules", "proc", "root")),
            _entry("bin/busybox", 0o100755, busybox),
            _entry("init", 0o100755, _INIT.encode()),
            *(_entry(f"modules/{name}", 0o100644, data) for name, data in _modules(root)),
            _entry("TRAILER!!!", 0),
        ]
    )


def _modules(root: Path) -> Iterator[tuple[str, bytes]]:
    """Modules in the order in which they can be loaded, which their names here keep."""
    lines = (root / "boot/modules").read_text().splitlines()
    paths = dict.fromkeys(line.split()[1] for line in lines if line.startswith("insmod "))
    for number, path in enumerate(paths):
        data = (root / path.lstrip("/")).read_bytes()
        yield f"{number:02}-{Path(path).stem}", lzma.decompress(data) if path.endswith(".xz") else data


def _entry(name: str, mode: int, data: bytes = b"") -> bytes:
    # Fields of `newc`: inode, mode, owner, group, links, time, size, four device numbers, length of the name, check.
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
