"""One image onto many cards: a thread reads, a thread hashes, and each card has a thread of its own."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ...errors import BrambleError, CardFailed
from ...runner.events import CardProgress
from ..blocks import Blocks
from . import one
from .digests import Digests
from .held_back import Differs
from .medium import Medium
from .pace import Pace
from .ring import Reader, Ring, Stopped, Stream
from .target import Target

Finish = Callable[[Target, Blocks], None]


class Source(Protocol):
    """An image.

    Attributes
    ----------
    name
        What people know it by.
    size
        Bytes of the image when it is unpacked; 0 where nobody knows beforehand.
    """

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def open(self) -> AbstractContextManager[Stream]:
        """Its bytes, unpacked. Reading raises `BrambleError` where it is not whole."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one card.

    Attributes
    ----------
    target
        Which one.
    error
        Why no system starts from it; None if all is well.
    size
        Bytes of the image.
    seconds
        How long it took.
    """

    target: Target
    error: BrambleError | None = None
    size: int = 0
    seconds: float = 0.0


class Job:
    """See `bramble.cards.writing.write`, which carries it out."""

    def __init__(
        self,
        image: Source,
        targets: Sequence[Target],
        *,
        finish: Finish | None,
        sha256: str,
        tell: Callable[[CardProgress], None],
    ) -> None:
        self._image = image
        self._targets = targets
        self._finish = finish
        self._sha256 = sha256.lower()
        self._tell = tell
        self._ring = Ring()
        self._digests = Digests()
        self._called_off = threading.Event()
        self._at_work = len(targets)
        self._lock = threading.Lock()

    def call_off(self) -> None:
        """Have everything end soon; no card under way becomes bootable."""
        self._called_off.set()
        self._ring.stop()

    def run(self) -> list[Outcome]:
        """Carry it out.

        Raises
        ------
        BrambleError
            The image is not whole, or not the one it should be.
        """
        count = len(self._targets)
        with ThreadPoolExecutor(count + 1, "card") as cards, ThreadPoolExecutor(os.cpu_count(), "hash") as hashers:
            hashing = cards.submit(self._digests.gather, self._ring.reader())
            running = [cards.submit(self._one, target, self._ring.reader(), hashers) for target in self._targets]
            good = False
            try:
                self._read()
                hashing.result()
                self._believe()
                good = True
            except Stopped:
                pass  # called off, or no card is left
            finally:
                if not good:
                    self.call_off()
                self._digests.release(good=good)
            return [card.result() for card in running]

    def _read(self) -> None:
        with self._image.open() as stream:
            self._ring.fill(stream)

    def _believe(self) -> None:
        if self._sha256 and self._digests.sha256 != self._sha256:
            raise BrambleError(
                f"{self._image.name} is not what it must be, and no system starts from the cards",
                why=f"unpacked it has sha256 {self._digests.sha256}, and must have {self._sha256}",
                hint="download it anew",
            )

    def _going(self) -> None:
        if self._called_off.is_set():
            raise Stopped

    def _one(self, target: Target, blocks: Reader, hashers: ThreadPoolExecutor) -> Outcome:
        began = time.monotonic()
        error: BrambleError | None = None
        try:
            self._write(target, blocks, hashers)
        except BrambleError as trouble:
            error = trouble
            error.host = error.host or target.host
        except Stopped:
            error = CardFailed("it was interrupted", host=target.host, device=target.device, hint=AGAIN)
        finally:
            blocks.close()
            self._one_less()
        return Outcome(target=target, error=error, size=self._digests.size, seconds=time.monotonic() - began)

    def _one_less(self) -> None:
        with self._lock:
            self._at_work -= 1
            if self._at_work == 0:
                self._ring.stop()

    def _write(self, target: Target, blocks: Reader, hashers: ThreadPoolExecutor) -> None:
        pace = Pace(target, self._image.size, self._tell)
        finish = self._finish
        with target.open(self._image.size) as medium:
            try:
                one.erase(medium, self._image.size)
                one.copy(medium, blocks, pace)
                self._digests.wait()
                pace.total = self._digests.size
                medium.stretch(self._digests.size)
                medium.flush()
                one.compare(medium, self._digests, pace, self._going, hashers)
                one.finish(medium, self._digests, pace, finish and (lambda card: finish(target, card)))
            except OSError as error:
                raise _failed(target, medium, error) from None
            except Differs as differs:
                raise _differs(target, differs.args[0]) from None


AGAIN = "burn it once more: nothing starts from what is on it"


def _failed(target: Target, medium: Medium, error: OSError) -> CardFailed:
    hint = {
        errno.ENOSPC: "take a larger card, or for a file a folder with more room",
        errno.EROFS: "slide the card's lock switch up",
        errno.EPERM: "slide the card's lock switch up",
    }.get(error.errno or 0, "put it in again and try once more; if that happens again, throw the card away")
    return CardFailed(
        f"{target.device} failed at {medium.place / 1e6:.0f} MB, and no system starts from it",
        host=target.host,
        device=target.device,
        offset=medium.place,
        why=error.strerror or str(error),
        hint=hint,
    )


def _differs(target: Target, offset: int) -> CardFailed:
    return CardFailed(
        f"{target.device} reads back otherwise than it was written, and no system starts from it",
        host=target.host,
        device=target.device,
        offset=offset,
        why=f"the first difference is within the MiB from {offset / 1e6:.0f} MB on",
        hint="throw the card away: it is worn out, or pretends to be larger than it is",
    )
