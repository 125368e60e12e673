"""A card whose beginning is still in memory: whole for those who look into it, and bootable for nobody."""

from __future__ import annotations

from .medium import Medium, buffer

#: Bytes at the beginning that are written last: partition tables of both kinds, and what makes a card bootable.
HELD = 1 << 20

#: Of these the very last ones to be written: the first partition table, without which nothing finds the rest.
LAST = 4096


class Differs(Exception):
    """What was read back is not what was written. Its argument is the offset."""


class HeldBack:
    """The `bramble.cards.blocks.Blocks` of a card that is written but for its beginning.

    Parameters
    ----------
    medium
        The card.
    held
        Its beginning, at most `HELD` bytes.
    size
        Bytes of the whole image.
    """

    def __init__(self, medium: Medium, held: bytes, size: int) -> None:
        self._medium = medium
        self._held = bytearray(held) + bytes(-len(held) % medium.sector)
        self._size = size
        self._written: dict[int, bytes] = {}

    def read(self, offset: int, size: int) -> bytes:
        """Bytes as they are on the card, or will be."""
        size = max(0, min(size, self._size - offset))
        head = bytes(self._held[offset : offset + size])
        return head + self._beyond(offset + len(head), size - len(head))

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes on the card, or into what it will begin with.

        Raises
        ------
        ValueError
            They would lie outside of the image.
        OSError
            The card cannot take them.
        """
        if offset < 0 or offset + len(data) > self._size:
            raise ValueError(f"{len(data)} bytes at {offset} are outside of an image of {self._size}")
        head = data[: max(0, len(self._held) - offset)]
        self._held[offset : offset + len(head)] = head
        offset, data = offset + len(head), data[len(head) :]
        if not data:
            return
        sector = self._medium.sector
        start, end = offset - offset % sector, offset + len(data) + -(offset + len(data)) % sector
        whole = buffer(end - start)
        self._medium.read(start, whole)
        whole[offset - start : offset - start + len(data)] = data
        self._medium.rewrite(start, whole)
        for place in range(0, end - start, sector):
            self._written[start + place] = bytes(whole[place : place + sector])

    def check(self) -> None:
        """See that all that was written here arrived.

        Raises
        ------
        Differs
            It did not.
        """
        if not self._written:
            return
        self._medium.flush()
        for start, sectors in self._runs():
            _same(self._medium, start, sectors)
        self._written.clear()

    def reveal(self) -> None:
        """Write the beginning, the first partition table last of all, and see that it arrived.

        Raises
        ------
        Differs
            It did not.
        """
        whole = buffer(len(self._held))
        whole[:] = self._held
        for start, end in ((LAST, len(whole)), (0, min(LAST, len(whole)))):
            if start < end:
                self._medium.rewrite(start, whole[start:end])
                self._medium.flush()
                _same(self._medium, start, whole[start:end].tobytes())

    def _beyond(self, offset: int, size: int) -> bytes:
        if size <= 0:
            return b""
        sector = self._medium.sector
        start, end = offset - offset % sector, offset + size + -(offset + size) % sector
        whole = buffer(end - start)
        count = self._medium.read(start, whole)
        return bytes(whole[offset - start : min(offset - start + size, count)])

    def _runs(self) -> list[tuple[int, bytes]]:
        """What was written, neighbours joined, so that it is read back in few pieces."""
        runs: list[tuple[int, bytearray]] = []
        for start, sector in sorted(self._written.items()):
            if runs and runs[-1][0] + len(runs[-1][1]) == start and len(runs[-1][1]) < HELD:
                runs[-1][1].extend(sector)
            else:
                runs.append((start, bytearray(sector)))
        return [(start, bytes(run)) for start, run in runs]


def _same(medium: Medium, start: int, data: bytes) -> None:
    seen = buffer(len(data))
    if medium.read(start, seen) != len(data) or seen.tobytes() != data:
        raise Differs(start)
