"""What is proven on request, because it takes minutes and stops something: jobs of all kinds, a lost host's files."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import catalogue
from .config import Config
from .configuration import unit_name
from .nodes import describe
from .text import text
from .verify import FOLDER, PATIENCE, work

#: Maps that estimate pi, and points of each.
MAPS, POINTS = 2, 1000

#: Rows of 100 bytes that are made, sorted and looked at, and seconds for that.
ROWS, LONG = 200_000, 900.0

#: Files that maps write and read at once, and MiB of each.
FILES, SIZE = 2, 32

#: Seconds after which a daemon that was stopped for the proof is started by itself, should the run be cut.
GUARD = 300


def deep(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Pi, rows that are sorted across hosts, maps that write and read; then a file is read while its host is gone."""
    nodes = describe(cluster, config, facts)
    manager = [cluster.manager]
    numbers = (catalogue.EXAMPLES, str(MAPS), str(POINTS))
    pi = work(nodes, f"pi by {MAPS} maps", "pi.py", numbers, "as computed without it")
    rows = (catalogue.EXAMPLES, str(ROWS))
    sort = work(nodes, "rows are sorted", "sort.py", rows, "sorted", folder=f"{FOLDER}-sort", timeout=LONG)
    volume = (catalogue.tests(config.version), str(FILES), str(SIZE))
    io = work(nodes, f"{FILES * SIZE} MB by {FILES} maps", "io.py", volume, "written and read", folder=f"{FOLDER}-io")
    lost = nodes.working[-1].host
    alone = nodes.copies < 2
    unit = unit_name("datanode")
    groups = (
        group("Sort", manager if config.yarn else (), pi, sort, io, timeout=2 * PATIENCE + LONG),
        group("File", () if alone else manager, work(nodes, "a file is written", "put.py", (), "written")),
        group("Loss", () if alone else [lost], _unit("lost", unit), after=["File"]),
        group(
            "Survival",
            () if alone else manager,
            work(nodes, "it is read without that host", "read.py", (), "as it was written"),
            after=["Loss"],
            requires=[lost],
        ),
        group("Return", () if alone else [lost], _unit("back", unit), after=["Survival"]),
        group(
            "End",
            () if alone else manager,
            work(nodes, "nothing is left of it", "clean.py", (), "gone"),
            after=["Return"],
        ),
    )
    note = "files lie on one host each, so none can be lost: that was not tried"
    return Plan(service="hadoop", groups=tuple(part for part in groups if part.steps), notes=(note,) if alone else ())


def _unit(verb: str, unit: str) -> Probe:
    return Probe(
        name="its files are lost" if verb == "lost" else "its files come back",
        argv=("sh", "-c", text("probes/lose.sh"), verb, unit, str(GUARD)),
        expect_lines=(verb,),
        log_units=(unit,),
        hint=f"systemctl start {unit}",
    )
