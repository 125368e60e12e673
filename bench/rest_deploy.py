"""A deployment through a service against the same by the command line, in turns on the same hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT, Table, Timing, command
from bench.serving import BRAMBLE, serving
from bramble import lab

HOSTS = 3

#: Service → how often. Ten steps of each kind take little more than a command's start, so they show what REST adds;
#: Slurm, which is proved, too, is a deployment as people wait for it.
ROUNDS = {"ten": 9, "slurm": 3}


def main() -> Table:
    """Services on freshly written hosts, and the run that changes nothing."""
    table = Table(f"A deployment on {HOSTS} hosts through the REST service")
    with TemporaryDirectory() as folder:
        status = lab.up(size=HOSTS, name="bench")
        env = {"PYTHONPATH": str(ROOT / "bench" / "rooms"), "XDG_DATA_HOME": folder}
        try:
            with serving(Path(folder), env) as service:
                for name, rounds in ROUNDS.items():
                    deploy = ["deploy", name, "--cluster", status.cluster]
                    deploy += ["--no-verify"] if name == "ten" else []
                    _compare(table, name, rounds, deploy, service.url, env)
        finally:
            lab.down("bench")
    return table


def _compare(table: Table, service: str, rounds: int, deploy: Sequence[str], url: str, env: Mapping[str, str]) -> None:
    ways = {"by the command line": [BRAMBLE, *deploy], "through REST": [BRAMBLE, "--server", url, *deploy]}
    firsts: dict[str, list[float]] = {way: [] for way in ways}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        # Who comes second finds warm caches, so they take turns.
        for way in sorted(ways, reverse=bool(number % 2)):
            _fresh()
            firsts[way].append(command(ways[way], env))
            seconds[way].append(command(ways[way], env))
    for title, taken in ((f"{service}, first run", firsts), (f"{service}, no-change run", seconds)):
        base = f"{title}, by the command line"
        table.add(Timing(name=base, seconds=tuple(taken["by the command line"])))
        table.add(Timing(name=f"{title}, through REST", seconds=tuple(taken["through REST"]), against=base, limit=1.05))


def _fresh() -> None:
    """Hosts as they were at first, which have come to rest: what a start does besides would be measured, too."""
    status = lab.reset("bench")
    for host in status.hosts:
        rest = ["sh", "-c", "systemctl is-system-running --wait || true"]
        lab.execute("bench", host.name, rest)
