"""What was read of a volume, and what is to be written to it, in pages."""

from __future__ import annotations

from ..blocks import Blocks

#: Bytes of a page: what cards and direct I/O count in.
PAGE = 4096


class Pages:
    """A volume as bytes that can be read and written anywhere; nothing reaches the card before `flush`.

    Parameters
    ----------
    blocks
        The card.
    offset
        Where on it the volume begins; pages are those of the card.
    """

    def __init__(self, blocks: Blocks, offset: int) -> None:
        self._blocks = blocks
        self._offset = offset
        self._pages: dict[int, bytearray] = {}
        self._changed: set[int] = set()

    def read(self, at: int, size: int) -> bytes:
        """``size`` bytes of the volume."""
        start = self._offset + at
        found = bytearray()
        while size:
            number, inside = divmod(start, PAGE)
            part = self._page(number)[inside : inside + size]
            if not part:
                raise OSError(f"the card ends at {start} bytes, where its file system goes on")
            found += part
            start += len(part)
            size -= len(part)
        return bytes(found)

    def write(self, at: int, data: bytes) -> None:
        """Put bytes in place of those that are there."""
        start = self._offset + at
        done = 0
        while done < len(data):
            number, inside = divmod(start + done, PAGE)
            part = data[done : done + PAGE - inside]
            page = self._page(number)
            if page[inside : inside + len(part)] != part:
                page[inside : inside + len(part)] = part
                self._changed.add(number)
            done += len(part)

    def flush(self) -> None:
        """Write the pages that changed, neighbours at once."""
        waiting = sorted(self._changed)
        while waiting:
            first = waiting.pop(0)
            run = bytearray(self._pages[first])
            following = first + 1
            while waiting and waiting[0] == following:
                run += self._pages[waiting.pop(0)]
                following += 1
            self._blocks.write(first * PAGE, bytes(run))
        self._changed.clear()

    def _page(self, number: int) -> bytearray:
        if number not in self._pages:
            self._pages[number] = bytearray(self._blocks.read(number * PAGE, PAGE))
        return self._pages[number]
