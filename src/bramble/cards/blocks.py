"""What a card, or a file with a card's image, is to those who look into it."""

from __future__ import annotations

from typing import Protocol


class Blocks(Protocol):
    """Bytes at offsets. Whoever implements it knows about alignment, caches and what is held back."""

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset`` on; fewer only at the end.

        Raises
        ------
        OSError
            The device could not read them.
        """

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes in place of those at ``offset``.

        Raises
        ------
        OSError
            The device could not write them.
        """
