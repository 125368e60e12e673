"""What was read from an image, once for all cards: its length, its beginning, and the hashes of all pieces."""

from __future__ import annotations

import hashlib
import threading

from .held_back import HELD
from .ring import Reader, Stopped

#: Bytes of a piece with a hash of its own, so that a card which reads back otherwise tells where.
PIECE = 1 << 20


class Digests:
    """Filled by one thread while the image passes, and then read by all."""

    def __init__(self) -> None:
        self.size = 0
        self.held = b""
        self.pieces: list[bytes] = []
        self.sha256 = ""
        self._good = False
        self._known = threading.Event()

    def gather(self, blocks: Reader) -> None:
        """Go through the whole image.

        Raises
        ------
        Stopped
            It was called off.
        """
        whole = hashlib.sha256()
        for offset, block in blocks:
            if offset == 0:
                self.held = bytes(block[:HELD])
            whole.update(block)
            for start in range(0, len(block), PIECE):
                self.pieces.append(digest(block[start : start + PIECE]))
            self.size = offset + len(block)
        self.sha256 = whole.hexdigest()

    def release(self, *, good: bool) -> None:
        """Let those go on who wait for the whole image: with it, or without."""
        self._good = good
        self._known.set()

    def wait(self) -> None:
        """Until the whole image has passed and is known to be the right one.

        Raises
        ------
        Stopped
            It never will be.
        """
        self._known.wait()
        if not self._good:
            raise Stopped


def digest(piece: memoryview) -> bytes:
    """The hash of a piece."""
    return hashlib.sha256(piece).digest()
