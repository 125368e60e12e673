"""Whether Spark does its work on every host that it should: a real program whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import configuration
from .config import SMALLEST_HEAP, Config
from .nodes import CONNECT, HISTORY, describe

#: Seconds that workers may take to tell the master of themselves, and the whole program: Java and Python start on
#: every host for it, on a slow card, too.
DEADLINE, PATIENCE = 60, 300.0

UNITS = ("spark-master", "spark-worker")
HINT = "what does the master say? {}; journalctl -u spark-master, and on the host -u spark-worker"

#: What is said where Hadoop is, too.
KEPT = "lines came back from Hadoop's files"

#: What the history server's answer, and the two of Spark Connect, come to.
TOLD = "the history server tells of it"
CONNECTED = ("Spark Connect answers", "not without the token")


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """All workers by name, then one program with a task on each of them."""
    nodes = describe(cluster, config, facts)
    manager, working = nodes.manager, nodes.working
    hint = HINT.format(nodes.page)
    places = tuple(f"{node.host}={node.address}" for node in working)
    names = tuple(node.host for node in working)
    alive = Probe(
        name="every worker is known to the master",
        argv=("python3", "-IS", "-", f"{nodes.page}/json/", str(DEADLINE), *places),
        input=configuration.text("workers.py"),
        expect_lines=names,
        blame={name: f"{name} does not work for the master" for name in names},
        timeout=DEADLINE + 30,
        log_units=UNITS,
        hint=hint,
    )
    crossed = tuple(f"{name} read what other hosts wrote" for name in names) if len(names) > 1 else ()
    expected = {
        **{f"{name} took part": f"{name} ran no part of the program" for name in names},
        **{line: f"{line.split()[0]} got nothing of what other hosts wrote (shuffle)" for line in crossed},
    }
    told = (TOLD,) if config.history else ()
    kept = (KEPT,) if manager.hadoop else ()
    history = (configuration.text("history.py") if told else "", f"http://{manager.address}:{HISTORY}")
    words = (str(len(names)), f"{SMALLEST_HEAP}m", configuration.QUICK_JAVA, *history)
    work = Probe(
        name="a program on all of them: pi, and a word count across hosts",
        argv=("sh", "-c", configuration.text("submit.sh"), "submit", *words, *places),
        input=configuration.text("proof.py"),
        expect_lines=("pi is 3.14159", "words are as counted apart", *expected, *kept, *told),
        blame={
            **expected,
            KEPT: "programs cannot work with Hadoop's files (bramble verify hadoop)",
            TOLD: "the history server knows nothing of a program that ended",
        },
        user="spark",
        timeout=PATIENCE,
        log_units=(*UNITS, *(("spark-history",) if told else ())),
        hint=f"are all processors taken by another program? {hint}",
    )
    asked = Probe(
        name="Spark Connect answers who has the token, and nobody else",
        argv=("python3", "-IS", "-", str(CONNECT), configuration.TOKEN_FILE),
        input=configuration.text("connect.py"),
        expect_lines=CONNECTED,
        blame=dict.fromkeys(CONNECTED, "Spark Connect does not answer as it should"),
        user="spark",
        timeout=PATIENCE,
        log_units=("spark-connect",),
        hint=f"are all processors taken by another program? {hint}",
    )
    steps = (alive, work, *((asked,) if config.connect else ()))
    return Plan(service="spark", groups=(group("Workers", [manager.host], *steps, timeout=3 * PATIENCE),))
