"""A disk that is ours alone: opened exclusively first, and only then checked, by what was opened.

Whoever checks first and opens later may write to another disk: cards are pulled out and put in while people read a
question. So what was shown is compared with what is held, and it is held until the last byte is written.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import platform
import stat
import struct
from collections.abc import Collection, Iterator

from ...errors import CardRefused
from . import disk_at
from .disk import Disk
from .refusals import refusals

#: From linux/fs.h.
BLKROGET, BLKRRPART, BLKFLSBUF, BLKSSZGET, BLKGETSIZE64, BLKGETDISKSEQ = (
    0x125E, 0x125F, 0x1261, 0x1268, 0x80081272, 0x80081280,
)  # fmt: skip


@contextlib.contextmanager
def hold(disk: Disk, *, needs: int = 0, force: Collection[str] = ()) -> Iterator[int]:
    """A file descriptor of a disk for reading and writing, that no mount and no other user of the disk shares.

    Where the disk can do it, reads and writes go past the page cache (``O_DIRECT``): buffers and offsets must then be
    multiples of its sectors.

    Parameters
    ----------
    disk
        As it was shown to whoever said yes.
    needs, force
        See `refusals`, which is asked once more.

    Raises
    ------
    CardRefused
        It is in use, it is no more what it was, or there are `refusals`.
    """
    descriptor = _open(disk)
    try:
        _check(disk, descriptor)
        now = disk_at(disk.path)
        if not disk.is_same(now):
            raise _changed(disk)
        for refusal in refusals(now, needs=needs, force=force):
            raise CardRefused(f"{disk.path} is not written", why=refusal.why, hint=refusal.hint)
        yield descriptor
    finally:
        os.close(descriptor)


def ioctl_number(descriptor: int, request: int, form: str = "i") -> int:
    """What a disk answers to a question of linux/fs.h, as a number."""
    answer = fcntl.ioctl(descriptor, request, bytes(struct.calcsize(form)))
    number: int = struct.unpack(form, answer)[0]
    return number


def _open(disk: Disk) -> int:
    if platform.system() != "Linux":
        hint = "write an image file (--output), and flash it by any tool for that"
        raise CardRefused(f"{disk.path} is not written", why="bramble writes cards on Linux only so far", hint=hint)
    flags = os.O_RDWR | os.O_EXCL | os.O_CLOEXEC
    try:
        try:
            return os.open(disk.path, flags | os.O_DIRECT)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return os.open(disk.path, flags)
    except OSError as error:
        raise _refused(disk, error) from None


def _refused(disk: Disk, error: OSError) -> CardRefused:
    what = f"{disk.path} is not written"
    match error.errno:
        case errno.EBUSY:
            why = "somebody has it in use, maybe out of sight: a mount in a container, a virtual machine"
            return CardRefused(what, why=why, hint=f"lsblk {disk.path}; grep {disk.path} /proc/*/mountinfo")
        case errno.EACCES | errno.EPERM | errno.EROFS if disk.read_only:
            return CardRefused(what, why="it is read-only", hint="slide the card's lock switch up")
        case errno.EACCES | errno.EPERM:
            hint = f'sudo chown "$USER" {disk.path}   # holds until it is pulled out'
            return CardRefused(what, why="you may not write to it", hint=hint)
        case errno.ENOMEDIUM | errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return CardRefused(what, why="there is no card in it any more", hint="bramble cards list")
    return CardRefused(what, why=error.strerror or str(error), hint="the kernel's words: dmesg | tail")


def _check(disk: Disk, descriptor: int) -> None:
    """Ask what is open, not what is at a path."""
    found = os.fstat(descriptor)
    number = (os.major(found.st_rdev), os.minor(found.st_rdev))
    if not stat.S_ISBLK(found.st_mode) or number != disk.number:
        raise _changed(disk)
    if ioctl_number(descriptor, BLKGETSIZE64, "Q") != disk.size:
        raise _changed(disk)
    if disk.sequence and ioctl_number(descriptor, BLKGETDISKSEQ, "Q") != disk.sequence:
        raise _changed(disk)
    if ioctl_number(descriptor, BLKROGET):
        raise CardRefused(f"{disk.path} is not written", why="it is read-only", hint="slide the card's lock switch up")


def _changed(disk: Disk) -> CardRefused:
    return CardRefused(
        f"{disk.path} is not written",
        why="another disk or card is there now than the one that was shown",
        hint="bramble cards list, and then once more",
    )
