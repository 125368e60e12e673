"""A deployment through a service against the same by the command line, in turns on the same hosts."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT, Table, Timing, command
from bench.serving import BRAMBLE, serving
from bramble import lab

HOSTS = 3
ROUNDS = 9


def main() -> Table:
    """Ten steps of each kind on freshly written hosts, and the run that changes nothing."""
    table = Table(f"A deployment on {HOSTS} hosts through the REST service")
    with TemporaryDirectory() as folder:
        status = lab.up(size=HOSTS, name="bench")
        env = {"PYTHONPATH": str(ROOT / "bench" / "rooms"), "XDG_DATA_HOME": folder}
        try:
            with serving(Path(folder), env) as service:
                deploy = ["deploy", "ten", "--no-verify", "--cluster", status.cluster]
                ways = {
                    "by the command line": [BRAMBLE, *deploy],
                    "through REST": [BRAMBLE, "--server", service.url, *deploy],
                }
                firsts: dict[str, list[float]] = {name: [] for name in ways}
                seconds: dict[str, list[float]] = {name: [] for name in ways}
                for number in range(ROUNDS):
                    # Who comes second finds warm caches, so they take turns.
                    for name in sorted(ways, reverse=bool(number % 2)):
                        if number < ROUNDS // 3:
                            lab.reset("bench")
                            firsts[name].append(command(ways[name], env))
                        seconds[name].append(command(ways[name], env))
                for title, taken in (("first run", firsts), ("no-change run", seconds)):
                    base = f"{title}, by the command line"
                    table.add(Timing(name=base, seconds=tuple(taken["by the command line"])))
                    ours = tuple(taken["through REST"])
                    table.add(Timing(name=f"{title}, through REST", seconds=ours, against=base, limit=1.05))
        finally:
            lab.down("bench")
    return table
