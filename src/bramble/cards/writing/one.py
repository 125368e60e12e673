"""The way of one card: made unbootable, written, read back, finished, and only then made bootable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future

from ..blocks import Blocks
from .digests import PIECE, Digests, digest
from .held_back import HELD, Differs, HeldBack
from .medium import Medium, buffer
from .pace import Pace


def erase(medium: Medium, size: int) -> None:
    """Clear what a disk begins with, so that nothing starts from what was there.

    What it ends with goes, too: some partition tables have a copy there.
    """
    if medium.size is None:
        return
    clear = buffer(min(HELD, medium.size))
    medium.rewrite(0, clear)
    end = medium.size - len(clear)
    if end >= max(size, HELD):
        medium.rewrite(end - end % medium.sector, clear)
    medium.flush()


def copy(medium: Medium, blocks: Iterable[tuple[int, memoryview]], pace: Pace) -> None:
    """Write all but the beginning."""
    pace.begin("writing")
    for offset, block in blocks:
        rest = block[HELD:] if offset == 0 else block
        start = offset + len(block) - len(rest)
        odd = -len(rest) % medium.sector
        if odd:
            padded = buffer(len(rest) + odd)
            padded[: len(rest)] = rest
            rest = padded
        medium.write(start, rest)
        pace.to(offset + len(block))


def compare(medium: Medium, image: Digests, pace: Pace, going: Callable[[], None], hashers: Executor) -> None:
    """Read back all but the beginning; one piece is hashed while the next is read.

    Raises
    ------
    Differs
        A piece is not what was written.
    """
    pace.begin("verifying")
    turns = (buffer(PIECE), buffer(PIECE))
    hashed: Future[bytes] | None = None
    for number in range(HELD // PIECE, len(image.pieces)):
        going()
        start = number * PIECE
        length = min(PIECE, image.size - start)
        into = turns[number % 2][: length + -length % medium.sector]
        count = medium.read(start, into)
        if hashed and hashed.result() != image.pieces[number - 1]:
            raise Differs(start - PIECE)
        hashed = hashers.submit(digest, into[: min(length, count)])
        pace.to(start + length)
    if hashed and hashed.result() != image.pieces[-1]:
        raise Differs((len(image.pieces) - 1) * PIECE)


def finish(medium: Medium, image: Digests, pace: Pace, last: Callable[[Blocks], None] | None) -> None:
    """Have the host's own files written, and then the beginning.

    Raises
    ------
    Differs
        Something of it did not arrive.
    """
    pace.begin("finishing")
    blocks = HeldBack(medium, image.held, image.size)
    if last is not None:
        last(blocks)
        blocks.check()
    blocks.reveal()
    medium.announce()
    pace.begin("done")
    pace.to(image.size)
