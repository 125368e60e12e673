"""What is written to: a disk that we hold, or a file. Reads see what really arrived there, not what memory kept."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import stat

from ..disks.held import BLKFLSBUF, BLKGETSIZE64, BLKRRPART, BLKSSZGET, ioctl_number

#: Bytes that are either written or, where they are all zero, left out of a file.
_HOLE = 64 << 10
_ZEROS = bytes(_HOLE)

#: Past the page cache: Linux has it. Elsewhere there are only files to write, and those are read back by its leave.
_DIRECT = getattr(os, "O_DIRECT", 0)


class Medium:
    """A file descriptor with offsets.

    Attributes
    ----------
    size
        Bytes there are; None for a file, which grows.
    sector
        Offsets and lengths must be multiples of this.
    place
        Offset of the last read or write, for whoever has to tell where it failed.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._disk = stat.S_ISBLK(os.fstat(descriptor).st_mode)
        self._direct = bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & _DIRECT)
        self.size = ioctl_number(descriptor, BLKGETSIZE64, "Q") if self._disk else None
        self.sector = ioctl_number(descriptor, BLKSSZGET) if self._disk else 512
        self.place = 0

    def write(self, offset: int, data: memoryview) -> None:
        """Put bytes there.

        Raises
        ------
        OSError
            It cannot; `place` says where.
        """
        if self._disk:
            self._put(offset, data)
            return
        for start in range(0, len(data), _HOLE):
            piece = data[start : start + _HOLE]
            if piece.tobytes() != _ZEROS[: len(piece)]:
                self._put(offset + start, piece)

    def rewrite(self, offset: int, data: memoryview) -> None:
        """Put bytes where others are already: zeros, too."""
        self._put(offset, data)

    def _put(self, offset: int, data: memoryview) -> None:
        while data:
            self.place = offset
            count = os.pwrite(self._descriptor, data, offset)
            if count == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            offset, data = offset + count, data[count:]

    def read(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer, which begins on a page; fewer bytes only at the end."""
        length = 0
        while length < len(buffer):
            self.place = offset + length
            count = os.preadv(self._descriptor, [buffer[length:]], offset + length)
            if count == 0:
                break
            length += count
        return length

    def flush(self) -> None:
        """Return when all that was written is there for good; reads that follow go and look.

        Raises
        ------
        OSError
            Something could not be written after all.
        """
        os.fsync(self._descriptor)
        if self._disk and not self._direct:
            # Only root may; who else reads by way of the cache is helped by the advice below.
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._descriptor, BLKFLSBUF)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def stretch(self, size: int) -> None:
        """Give a file its length, which may end in a hole."""
        if not self._disk:
            os.ftruncate(self._descriptor, size)

    def announce(self) -> None:
        """Let the kernel look at a disk's partitions anew. Nobody needs it to: the card goes into a Pi."""
        if self._disk:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._descriptor, BLKRRPART)


def buffer(size: int) -> memoryview:
    """Memory that begins on a page, as reads past the cache want it."""
    return memoryview(mmap.mmap(-1, size))
