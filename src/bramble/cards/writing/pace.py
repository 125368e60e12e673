"""How far one card is and how long it will take, told a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...runner.events import CardProgress
from .target import Target

#: Seconds between two words about one card.
TICK = 0.25


class Pace:
    """Counts the bytes of one card's phases.

    Parameters
    ----------
    target
        What is written.
    total
        Bytes of the image; 0 where nobody knows yet.
    tell
        Takes the events, in the thread that writes.
    """

    def __init__(self, target: Target, total: int, tell: Callable[[CardProgress], None]) -> None:
        self.total = total
        self._target = target
        self._tell = tell
        self._phase = ""
        self._done = 0
        self._began = self._told = 0.0

    def begin(self, phase: str) -> None:
        """Enter a phase, and tell it."""
        self._phase, self._done = phase, 0
        self._began = time.monotonic()
        self._say(self._began)

    def to(self, done: int) -> None:
        """So many bytes are through this phase."""
        self._done = done
        now = time.monotonic()
        if now - self._told >= TICK:
            self._say(now)

    def _say(self, now: float) -> None:
        self._told = now
        rate = self._done / (now - self._began) if self._done else 0.0
        left = (self.total - self._done) / rate if rate and self.total else 0.0
        if self._phase == "writing" and left:
            # It will be read back, and until then the best guess is that this goes as fast.
            left += self.total / rate
        self._tell(
            CardProgress(
                host=self._target.host,
                device=self._target.device,
                phase=self._phase,
                done=self._done,
                total=self.total,
                rate=round(rate),
                left=round(left, 1),
            )
        )
