"""A few large buffers that one thread fills and many empty: memory stays the same, however many cards there are."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterator
from typing import Protocol

#: Bytes of a buffer, and how many there are: enough that cards which pause in turn do not stop each other.
BLOCK, SLOTS = 4 << 20, 8


class Stopped(Exception):
    """The work was called off; whoever waits for blocks gets this in place of one."""


class Stream(Protocol):
    """What fills the ring."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Bytes put at the buffer's beginning; 0 at the end."""


class Ring:
    """Blocks of one stream, each seen by every reader; the slowest one holds the stream back.

    All readers are made before `fill` begins. Buffers begin on a page, as ``O_DIRECT`` wants, and are zero behind the
    stream's end.
    """

    def __init__(self) -> None:
        self._buffers = [memoryview(mmap.mmap(-1, BLOCK)) for _ in range(SLOTS)]
        self._lengths = [0] * SLOTS
        self._filled = 0
        self._ended = False
        self._stopped = False
        self._readers: list[Reader] = []
        self._turn = threading.Condition()

    def reader(self) -> Reader:
        """One more that sees every block."""
        made = Reader(self)
        self._readers.append(made)
        return made

    def fill(self, stream: Stream) -> None:
        """Hand the stream's blocks round until it ends.

        Raises
        ------
        Stopped
            It was called off.
        """
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._stopped or self._filled - self._slowest() < SLOTS)
                self._heed()
                slot = self._filled % SLOTS
            length = _whole(stream, self._buffers[slot])
            with self._turn:
                self._lengths[slot] = length
                self._filled += bool(length)
                self._ended = length < BLOCK
                self._turn.notify_all()
                if self._ended:
                    return

    def stop(self) -> None:
        """Call it off: everybody who waits, or comes to wait, gets `Stopped`."""
        with self._turn:
            self._stopped = True
            self._turn.notify_all()

    def _slowest(self) -> int:
        return min((reader.at for reader in self._readers), default=self._filled)

    def _heed(self) -> None:
        if self._stopped:
            raise Stopped

    def _block(self, reader: Reader) -> memoryview | None:
        with self._turn:
            self._turn.wait_for(lambda: self._stopped or reader.at < self._filled or self._ended)
            self._heed()
            if reader.at == self._filled:
                return None
            slot = reader.at % SLOTS
            return self._buffers[slot][: self._lengths[slot]]

    def _emptied(self, reader: Reader) -> None:
        with self._turn:
            reader.at += 1
            self._turn.notify_all()

    def _gone(self, reader: Reader) -> None:
        with self._turn:
            if reader in self._readers:
                self._readers.remove(reader)
            self._turn.notify_all()


class Reader:
    """One card's view of the stream. `close` lets the others go on without it."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        #: Blocks that it is through with.
        self.at = 0

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        """Offset and bytes of each block, good until the next one is asked for.

        Raises
        ------
        Stopped
            It was called off.
        """
        while (block := self._ring._block(self)) is not None:
            yield self.at * BLOCK, block
            self._ring._emptied(self)

    def close(self) -> None:
        """Want no more blocks."""
        self._ring._gone(self)


def _whole(stream: Stream, buffer: memoryview) -> int:
    """Fill a buffer as far as the stream goes, and clear the rest."""
    length = 0
    while length < len(buffer) and (count := stream.readinto(buffer[length:])):
        length += count
    if length < len(buffer):
        buffer[length:] = bytes(len(buffer) - length)
    return length
