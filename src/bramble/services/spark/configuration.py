"""The text of Spark's configuration."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from ...runner.secret import Secret
from .. import JAVA
from .catalogue import HOME
from .config import EVENTS, Config
from .nodes import CONNECT, CONNECT_WEB, HISTORY, LEAST, MASTER, MASTER_WEB, MOST, WORKER_WEB, Node, Nodes

_BANNER = "Made by bramble: what is changed here is overwritten by the next `bramble deploy spark`."

CONF = "/etc/spark"

#: For programs; for master and worker; for the history server; for Spark Connect; for all.
DEFAULTS, DAEMONS = f"{CONF}/spark-defaults.conf", f"{CONF}/daemons.conf"
HISTORY_CONF, CONNECT_CONF, TOKEN_FILE = f"{CONF}/history.conf", f"{CONF}/connect.conf", f"{CONF}/connect.token"
ENVIRONMENT, LOGGING = f"{CONF}/spark-env.sh", f"{CONF}/log4j2.properties"

#: By which all of a cluster's daemons and programs know each other; and what Spark Connect asks people for.
SECRET = Secret("spark/secret", size=32, form="hex")
TOKEN = Secret("spark/connect-token", size=32, form="hex")

#: MiB of the heap of master and worker, of the history server, and of Spark Connect, which is a program of its own.
HEAP, HISTORY_HEAP, CONNECT_HEAP = 128, 256, LEAST

#: For a Java that does not do much, or not for long: it starts sooner and takes less, and leaves nothing in /tmp.
QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"

#: Daemons idle most of the time: what makes Java fast costs memory [a worker took 233 MB without these, 178 with].
_JAVA_OPTIONS = f"{QUICK_JAVA} -XX:ReservedCodeCacheSize=48m -Xss512k"


def text(name: str) -> str:
    """A file of this room as it is."""
    return (files(__package__) / "files" / name).read_text(encoding="utf-8")


def _filled(name: str, **values: object) -> str:
    return Template(text(name)).substitute(banner=_BANNER, **values)


def defaults(nodes: Nodes, config: Config) -> tuple[str | Secret, ...]:
    """What programs go by."""
    smallest = min(node.memory for node in nodes.working)
    settings = _filled(
        "spark-defaults.conf",
        url=nodes.url,
        home=HOME,
        driver_memory=LEAST,
        executor_memory=config.executor_memory or min(smallest, MOST),
        events=config.events,
        metrics=text("metrics.conf"),
    )
    return (settings, "spark.authenticate.secret             ", SECRET, "\n")


def daemons() -> tuple[str | Secret, ...]:
    """What master and worker go by."""
    return (
        _filled("daemons.conf", metrics=text("metrics.conf")),
        "spark.authenticate.secret             ",
        SECRET,
        "\n",
    )


def environment(node: Node) -> str:
    """What every command of Spark's goes by on a host."""
    return _filled("spark-env.sh", java=JAVA, address=node.address, launcher_options=QUICK_JAVA)


def history(config: Config) -> str:
    """What the history server goes by."""
    return _filled("history.conf", events=config.events, port=HISTORY)


def connect() -> tuple[str | Secret, ...]:
    """What Spark Connect goes by."""
    settings = _filled("connect.conf", port=CONNECT, web=CONNECT_WEB)
    return (settings, "spark.connect.authenticate.token      ", TOKEN, "\n")


def cleaning() -> str:
    """How long records of programs are kept on a host."""
    return _filled("tmpfiles.conf", events=EVENTS.removeprefix("file://"))


def master_unit(nodes: Nodes) -> str:
    """The master's unit."""
    return _daemon("master", DAEMONS, HEAP, address=nodes.manager.address, port=MASTER, web=MASTER_WEB)


def worker_unit(nodes: Nodes, node: Node) -> str:
    """A worker's unit."""
    return _daemon(
        "worker",
        DAEMONS,
        HEAP,
        address=node.address,
        web=WORKER_WEB,
        cores=node.facts.cpus,
        memory=node.memory,
        url=nodes.url,
    )


def history_unit() -> str:
    """The history server's unit."""
    return _daemon("history", HISTORY_CONF, HISTORY_HEAP)


def connect_unit() -> str:
    """Spark Connect's unit."""
    return _filled("connect.service", home=HOME, heap=CONNECT_HEAP, java_options=QUICK_JAVA, conf=CONNECT_CONF)


def _daemon(name: str, conf: str, heap: int, **values: object) -> str:
    return _filled(f"{name}.service", home=HOME, heap=heap, java_options=_JAVA_OPTIONS, conf=conf, **values)


def logging() -> str:
    """How much daemons and programs say."""
    return _filled("log4j2.properties")


def name_units(manager: Node) -> tuple[str, str]:
    """A socket and a service by which ``spark://red:7077`` works on ``red`` itself, too."""
    socket = _filled("name.socket", loopback=manager.loopback, port=MASTER)
    return socket, _filled("name.service", address=manager.address, port=MASTER)


def command() -> str:
    """What Spark's commands are called through."""
    return _filled("command.sh", home=HOME)
