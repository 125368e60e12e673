"""The text of Spark's configuration."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from ...runner.secret import Secret
from .catalogue import HOME
from .config import Config
from .nodes import LEAST, MASTER, MASTER_WEB, MOST, WORKER_WEB, Node, Nodes

_BANNER = "Made by bramble: what is changed here is overwritten by the next `bramble deploy spark`."

#: Where the service `java` puts Java on every host.
JAVA = "/usr/local/lib/bramble/java"

#: By which all of a cluster's daemons and programs know each other.
SECRET = Secret("spark/secret", size=32, form="hex")

#: MiB of a daemon's heap.
HEAP = 128

#: For a Java that does not do much, or not for long: it starts sooner and takes less.
QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"

#: Daemons idle most of the time: what makes Java fast costs memory [a worker took 233 MB without these, 178 with].
#: Ports stay what they are, or the daemon does not start.
_JAVA_OPTIONS = f"{QUICK_JAVA} -XX:ReservedCodeCacheSize=48m -Xss512k -Dspark.port.maxRetries=0"


def text(name: str) -> str:
    """A file of this room as it is."""
    return (files(__package__) / "files" / name).read_text(encoding="utf-8")


def _filled(name: str, **values: object) -> str:
    return Template(text(name)).substitute(banner=_BANNER, **values)


def defaults(nodes: Nodes, config: Config) -> tuple[str | Secret, ...]:
    """/etc/spark/spark-defaults.conf: for daemons and programs alike."""
    smallest = min(node.memory for node in nodes.working)
    settings = _filled(
        "spark-defaults.conf",
        url=nodes.url,
        driver_memory=LEAST,
        executor_memory=config.executor_memory or min(smallest, MOST),
    )
    return (settings, "spark.authenticate.secret             ", SECRET, "\n")


def environment(node: Node) -> str:
    """/etc/spark/spark-env.sh."""
    return _filled("spark-env.sh", java=JAVA, address=node.address)


def master_unit(nodes: Nodes) -> str:
    """The master's unit."""
    return _filled(
        "master.service",
        home=HOME,
        heap=HEAP,
        java_options=_JAVA_OPTIONS,
        address=nodes.manager.address,
        port=MASTER,
        web=MASTER_WEB,
    )


def worker_unit(nodes: Nodes, node: Node) -> str:
    """A worker's unit."""
    return _filled(
        "worker.service",
        home=HOME,
        heap=HEAP,
        java_options=_JAVA_OPTIONS,
        address=node.address,
        web=WORKER_WEB,
        cores=node.facts.cpus,
        memory=node.memory,
        url=nodes.url,
    )


def logging() -> str:
    """/etc/spark/log4j2.properties: how much daemons and programs say."""
    return _filled("log4j2.properties")


def name_units(manager: Node) -> tuple[str, str]:
    """A socket and a service by which ``spark://red:7077`` works on ``red`` itself, too."""
    socket = _filled("name.socket", loopback=manager.loopback, port=MASTER)
    return socket, _filled("name.service", address=manager.address, port=MASTER)


def command() -> str:
    """What Spark's commands are called through."""
    return _filled("command.sh", home=HOME)
