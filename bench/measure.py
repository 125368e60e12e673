"""Timing of whole commands, and what is told of it."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One thing that was timed.

    ``seconds`` are all its times; ``limit`` is what the median, or its ratio to the thing named in ``against``, should
    stay under or, for ``at_least``, reach.
    """

    name: str
    seconds: tuple[float, ...]
    against: str = ""
    limit: float = 0.0
    at_least: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        """Of the times, seconds."""
        return statistics.median(self.seconds)


@dataclass
class Table:
    """The timings of one comparison."""

    title: str
    rows: list[Timing] = field(default_factory=list)

    def add(self, timing: Timing) -> None:
        """Add a row and print it."""
        self.rows.append(timing)
        print(self.line(timing), flush=True)

    def ratio(self, timing: Timing) -> float | None:
        """Median of this row by that of the row it is held against; inverted for ``at_least``."""
        base = next((row for row in self.rows if row.name == timing.against), None)
        if base is None:
            return None
        return base.median / timing.median if timing.at_least else timing.median / base.median

    def met(self, timing: Timing) -> bool | None:
        """Whether the limit holds; None where there is none."""
        if not timing.limit:
            return None
        ratio = self.ratio(timing)
        value = timing.median if ratio is None else ratio
        return value >= timing.limit if timing.at_least else value <= timing.limit

    def line(self, timing: Timing) -> str:
        """A row for people."""
        text = f"  {timing.name:<44} {timing.median:8.3f} s  (n={len(timing.seconds)})"
        ratio = self.ratio(timing)
        if ratio is not None:
            how = "times faster than" if timing.at_least else "times"
            text += f"  {ratio:.2f} {how} {timing.against}"
        met = self.met(timing)
        if met is not None:
            text += f"  [{'met' if met else 'NOT MET'}: {'≥' if timing.at_least else '≤'} {timing.limit:g}]"
        return text + (f"  {timing.note}" if timing.note else "")

    def save(self, name: str) -> None:
        """Write it as JSON, with the machine it was measured on."""
        RESULTS.mkdir(exist_ok=True)
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        rows = [
            {**asdict(row), "median": row.median, "ratio": self.ratio(row), "met": self.met(row)} for row in self.rows
        ]
        text = json.dumps({"title": self.title, "machine": machine, "rows": rows}, indent=1)
        (RESULTS / f"{name}.json").write_text(text + "\n")


def command(argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> float:
    """Seconds a command takes; its failure ends the benchmark with what it said."""
    began = time.perf_counter()
    done = subprocess.run(argv, env={**os.environ, **(env or {})}, cwd=cwd, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(
            f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
    return took


def home(folder: str) -> dict[str, str]:
    """Variables by which a program keeps all its own in a folder, and sees nothing of the user's."""
    kinds = ("DATA", "CONFIG", "STATE", "CACHE")
    return {"HOME": folder} | {f"XDG_{kind}_HOME": f"{folder}/{kind.lower()}" for kind in kinds}


def processor_time() -> float:
    """Seconds of processor time that all commands so far took on this machine, as user and in the kernel."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def repeat(times: int, once: Callable[[], float], before: Callable[[], None] | None = None) -> tuple[float, ...]:
    """The times of several rounds, with something untimed before each."""
    taken = []
    for _ in range(times):
        if before is not None:
            before()
        taken.append(once())
    return tuple(taken)
