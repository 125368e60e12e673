"""A card with faults: a FUSE file that fails as cards do, under a loop device.

As a program, the server: ``python faulty_card.py BACKING FOLDER FAULTS``, in which FOLDER then has one file, ``card``.
The kernel keeps nothing of it in memory, so that what is read is what the server says.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bramble.cards.disks import Disk, disk_at


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is wrong with a card. Offsets and sizes are bytes; what is None or 0 is in order.

    Attributes
    ----------
    bad
        First and last byte of a range that cannot be written; whoever tries finds that the card takes no more writes.
    real
        From here on, writes are lost without a word: the card pretends to be larger than it is.
    flipped
        One bit of this byte reads back as the other.
    pulled
        The card is gone once so many bytes were written.
    pace
        Bytes a second that it takes.
    """

    bad: tuple[int, int] | None = None
    real: int = 0
    flipped: int | None = None
    pulled: int = 0
    pace: float = 0.0


class _Card:
    """The folder, as FUSE asks for it."""

    use_ns = True

    def __init__(self, backing: str, faults: Faults) -> None:
        self._file = os.open(backing, os.O_RDWR)
        self._faults = faults
        self._written = 0
        self._bad = False

    def getattr(self, path: str, fh: object = None) -> dict[str, Any]:
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path == "/card":
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": os.fstat(self._file).st_size}
        raise OSError(errno.ENOENT, "")

    def readdir(self, path: str, fh: object) -> list[str]:
        return [".", "..", "card"]

    def open(self, path: str, info: Any) -> int:
        info.direct_io = 1
        return 0

    def read(self, path: str, size: int, offset: int, info: object) -> bytes:
        data = os.pread(self._file, size, offset)
        flipped = self._faults.flipped
        if flipped is not None and offset <= flipped < offset + size:
            wrong = bytearray(data)
            wrong[flipped - offset] ^= 1
            return bytes(wrong)
        return data

    def write(self, path: str, data: bytes, offset: int, info: object) -> int:
        faults = self._faults
        if faults.pace:
            time.sleep(len(data) / faults.pace)
        self._written += len(data)
        if faults.pulled and self._written > faults.pulled:
            os.kill(os.getpid(), signal.SIGKILL)
        if faults.bad and offset <= faults.bad[1] and offset + len(data) > faults.bad[0]:
            self._bad = True
        if self._bad:
            raise OSError(errno.EIO, "")
        if faults.real:
            os.pwrite(self._file, data[: max(0, faults.real - offset)], offset)
        else:
            os.pwrite(self._file, data, offset)
        return len(data)

    def fsync(self, path: str, only_data: int, info: object) -> int:
        return 0

    def truncate(self, path: str, length: int, fh: object = None) -> int:
        return 0


@contextlib.contextmanager
def loop_device(file: Path, *options: str) -> Iterator[str]:
    """A loop device over a file; its path."""
    made = subprocess.run(
        ["losetup", "--find", "--show", *options, file], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    try:
        yield made
    finally:
        subprocess.run(["losetup", "--detach", made], check=True)


@contextlib.contextmanager
def faulty(backing: Path, faults: Faults) -> Iterator[Disk]:
    """A card with faults, over a file that has its size and what was on it before."""
    folder = backing.with_suffix(".mounted")
    folder.mkdir()
    argv = [sys.executable, __file__, str(backing), str(folder), json.dumps(asdict(faults))]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _until((folder / "card").exists, server)
        with loop_device(folder / "card") as device:
            yield disk_at(device)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)
        server.kill()
        server.wait()
        assert server.stderr is not None
        server.stderr.close()


def _until(there: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if there():
            return
        assert server.poll() is None, server.stderr and server.stderr.read()
        time.sleep(0.05)
    raise TimeoutError("the card's server does not begin")


def _serve(backing: str, folder: str, faults: str) -> None:
    import mfusepy

    given = Faults(**json.loads(faults))
    mfusepy.FUSE(_Card(backing, given), folder, raw_fi=True, foreground=True, nothreads=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
