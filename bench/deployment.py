"""A service deployed by bramble and by a script by hand, in turns on the same hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.measure import ROOT, Table, Timing, command
from bramble import lab

ROUNDS = 3

BRAMBLE = str(ROOT / ".venv" / "bin" / "bramble")

#: What is timed: by the script, by bramble, its run that changes nothing, its proof, and a command that does nothing.
Taken = Mapping[str, list[float]]


def rounds(
    service: str, script: Sequence[str], on: Sequence[str], env: Mapping[str, str], *, reach: Sequence[str] = ()
) -> Taken:
    """The times of both on the lab ``bench``, whose hosts are freshly written before each.

    ``on`` are all options of the deployment; ``reach`` only those that say where, if there are others.
    """
    reach = reach or on
    taken: dict[str, list[float]] = {"script": [], "bramble": [], "again": [], "proof": [], "connections": []}
    deploy = [BRAMBLE, "deploy", service, "--no-verify", *on]
    for _ in range(ROUNDS):
        lab.reset("bench")
        taken["script"].append(command(script))
        lab.reset("bench")
        taken["bramble"].append(command(deploy, env))
        taken["proof"].append(command([BRAMBLE, "verify", service, *reach], env))
        for _ in range(2):
            taken["again"].append(command(deploy, env))
            taken["connections"].append(command([BRAMBLE, "run", *reach, "--", "true"], env))
    return taken


def tell(table: Table, service: str, taken: Taken, limit: float) -> None:
    """Add the rows; ``limit`` is what a deployment may take by what the script takes."""
    script = Timing(name="parallel ssh script", seconds=tuple(taken["script"]))
    table.add(script)
    ours = tuple(taken["bramble"])
    table.add(Timing(name=f"bramble deploy {service}", seconds=ours, against=script.name, limit=limit))
    table.add(Timing(name="its verification", seconds=tuple(taken["proof"])))
    opened = Timing(name="opening the connections (bramble run -- true)", seconds=tuple(taken["connections"]))
    table.add(opened)
    more = tuple(again - opened.median for again in taken["again"])
    table.add(Timing(name="second run, beyond opening them", seconds=more, limit=1.0))
