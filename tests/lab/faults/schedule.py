"""What goes wrong, and when: made of a seed and of nothing else, so that a seed replays.

Times are places in the stream of events that a run writes, not seconds: the same fault falls into the same step on a
fast machine and on a slow one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "controller killed",
    "runner killed",
    "power cut",
    "cut off",
    "paused",
    "disk full",
    "sshd restarted",
    "two at once",
]

KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]

#: Faults that fall on the controller and not on a host.
OF_CONTROLLER: tuple[Kind, ...] = ("controller killed", "two at once")

#: Faults that a host has from one moment to another, not just at one.
LASTING: tuple[Kind, ...] = ("power cut", "cut off", "paused", "disk full")

#: Faults fall within so many events: a run of this service writes 90 to 130, the last ones faster than a fault falls.
EVENTS = 70

#: A moment: shorter than it takes to notice that a host is gone.
MOMENT = 2.0


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes
    ----------
    kind
        What.
    at
        It falls when the run has written so many events.
    host
        Where; empty for what befalls the controller.
    passing
        Whether it is over after a `MOMENT`; else it lasts until the run has ended.
    """

    kind: Kind
    at: int
    host: str = ""
    passing: bool = False

    def __str__(self) -> str:
        where = f" on {self.host}" if self.host else ""
        return f"{self.kind}{where} at event {self.at}{', for a moment' if self.passing else ''}"


@dataclass(frozen=True)
class Round:
    """One run of the command line, and the faults that fall on it in order."""

    words: tuple[str, ...]
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"bramble {' '.join(self.words)}: {'; '.join(map(str, self.faults)) or 'no fault'}"


@dataclass(frozen=True)
class Schedule:
    """All rounds of one seed; the first deploys, the last removes."""

    seed: int
    rounds: tuple[Round, ...]

    @property
    def small_disks(self) -> tuple[str, ...]:
        """Hosts whose disk is to be filled, which need one that may be."""
        faults = [fault for round_ in self.rounds for fault in round_.faults]
        return tuple(sorted({fault.host for fault in faults if fault.kind == "disk full"}))

    def __str__(self) -> str:
        return "\n".join(
            [f"seed {self.seed}", *(f"  {number}. {round_}" for number, round_ in enumerate(self.rounds, 1))]
        )


def schedule(seed: int, hosts: tuple[str, ...]) -> Schedule:
    """The schedule of a seed.

    Parameters
    ----------
    hosts
        The manager first, then at least two others; the last of them joins later.
    """
    dice = random.Random(seed)
    *first, joining = hosts
    leaving = dice.choice(hosts[1:])
    words = ["deploy", "beacon", "--hosts", ",".join(first)]
    words += dice.choice(([], ["--set", "package=hello"])) + dice.choice(([], ["--set", "pause=1.5"]))
    middle: list[tuple[tuple[str, ...], list[str] | tuple[str, ...]]] = [
        (("deploy", "beacon", "--set", "word=again"), first),
        (("scale", "beacon", "--add", joining), hosts),
    ]
    if leaving != joining:
        middle.append((("scale", "beacon", "--drop", leaving, "--yes"), hosts))
    chosen = sorted(dice.sample(range(len(middle)), dice.randint(1, len(middle))))
    runs = [(tuple(words), first), *(middle[index] for index in chosen), (("remove", "beacon", "--yes"), hosts)]
    return Schedule(seed, tuple(Round(run, _faults(dice, tuple(where))) for run, where in runs))


def _faults(dice: random.Random, hosts: tuple[str, ...]) -> tuple[Fault, ...]:
    faults = []
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3))):
        kind = dice.choice(KINDS)
        host = "" if kind in OF_CONTROLLER else dice.choice(hosts)
        passing = kind in LASTING and dice.random() < 0.5
        faults.append(Fault(kind, dice.randrange(EVENTS), host, passing))
    return tuple(sorted(faults, key=lambda fault: fault.at))
