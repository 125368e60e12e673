"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bramble.runner.events import Event


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def whole(self) -> str:
        """All of it, for a snapshot."""
        parts = (("out", self.out), ("err", self.err), ("exit", f"{self.code}\n"))
        return "".join(f"--- {name}\n{text}" for name, text in parts if text)


#: Runs the command line with these words.
Cli = Callable[..., Ended]

#: The events of a run on real hosts, by name.
Recorded = Callable[[str], list[Event]]
