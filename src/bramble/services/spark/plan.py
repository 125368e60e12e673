"""What is to be done on each host to bring Spark up."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, Group, Link, Tree, Unit, User, Wait
from .. import LIBRARY
from . import configuration, refusals
from .catalogue import HOME, home, tree
from .config import VERSIONS, Config
from .configuration import CONF, CONNECT_CONF, DAEMONS, DEFAULTS, ENVIRONMENT, HISTORY_CONF, LOGGING, TOKEN_FILE
from .nodes import CONNECT, HISTORY, MASTER, NAME_SOCKET, WORKER_WEB, Node, describe

#: What master and worker read when they start, besides their units. What programs ask for by default is not among it.
READ = (DAEMONS, ENVIRONMENT, LOGGING)

CLEANING = "/etc/tmpfiles.d/bramble-spark.conf"
UNITS = "/etc/systemd/system"

#: On every host's path, and what they all are.
COMMANDS = ("pyspark", "spark-shell", "spark-sql", "spark-submit")
COMMAND = f"{LIBRARY}/spark-command"

#: Whether a user is in the group spark; says nothing of users that are not there.
_IN_GROUP = """case " $(id --name --groups "$1") " in *" spark "*) true ;; *) false ;; esac"""

#: Seconds a host may take for the tree: 430 MB from a neighbour, onto a slow card.
TREE_TIMEOUT = 1800.0


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Spark on all hosts of a cluster: the master on the manager, a worker on all that work.

    Raises
    ------
    PlanError
        Hosts that cannot have Spark, or not together; the message names them.
    """
    nodes = describe(cluster, config, facts)
    refusals.check(nodes, config)
    everyone, manager = cluster.hostset, [cluster.manager]
    working = [node.host for node in nodes.working]

    def files(host: str) -> tuple[Step, ...]:
        return (
            File(path=DEFAULTS, content=configuration.defaults(nodes, config), mode=0o640, group="spark"),
            File(path=DAEMONS, content=configuration.daemons(), mode=0o640, group="spark"),
            File(path=ENVIRONMENT, content=configuration.environment(nodes.of(host))),
            File(path=LOGGING, content=configuration.logging()),
            File(path=CLEANING, content=configuration.cleaning()),
        )

    def worker(host: str) -> tuple[Step, ...]:
        node = nodes.of(host)
        return (
            File(path=f"{UNITS}/spark-worker.service", content=configuration.worker_unit(nodes, node)),
            Unit(name="spark-worker", restart_on=READ),
            Wait(port=WORKER_WEB, host=node.address, unit="spark-worker", deadline=120),
        )

    users = {host.name: _users(config, host.user) for host in cluster.hosts}
    groups = (
        group("Users", everyone, Group(name="spark"), User(name="spark", group="spark", home="/var/lib/spark")),
        group("Folders", everyone, *_folders()),
        group("Spark", everyone, *programs(config), *_commands(config), timeout=TREE_TIMEOUT),
        group("Configuration", everyone, files),
        group("Submitters", [name for name in everyone if users[name]], lambda host: map(_member, users[host])),
        group("Master", manager, *_master(nodes.manager, configuration.master_unit(nodes))),
        group("Name", manager if nodes.manager.loopback else (), *_by_name(nodes.manager)),
        group("Workers", working, worker, after=["Master"], requires=manager),
        group("History", manager if config.history else (), *_history(nodes.manager, config)),
        group("Connect", manager if config.connect else (), *_connect(), after=["Master"]),
    )
    return Plan(
        service="spark",
        groups=tuple(part for part in groups if part.steps),
        artifacts=(tree(config.version),),
        notes=(f"web interface, open to all who reach it: {nodes.page}",),
    )


def programs(config: Config) -> tuple[Step, ...]:
    """What a host needs of a version, in a folder that is this version's alone."""
    return (Tree(artifact=tree(config.version).id, path=home(config.version)),)


def _folders() -> tuple[Step, ...]:
    """What daemons and programs write: logs, what they work on, and records of what ran. No use without Spark."""
    # Programs run as whoever starts them: all of the group leave their records in events, each their own.
    modes = {"": 0o755, "/work": 0o750, "/local": 0o750, "/events": 0o3770}
    written = (
        Directory(path=f"/var/lib/spark{name}", mode=mode, owner="spark", group="spark", scratch=True)
        for name, mode in modes.items()
    )
    return (Directory(path=LIBRARY), Directory(path=CONF), *written)


def _commands(config: Config) -> tuple[Step, ...]:
    links = (Link(path=f"/usr/local/bin/{name}", target=COMMAND) for name in COMMANDS)
    return (
        Link(path=HOME, target=home(config.version), ours=tuple(map(home, VERSIONS))),
        File(path=COMMAND, content=configuration.command(), mode=0o755),
        *links,
    )


def _master(node: Node, unit: str) -> tuple[Step, ...]:
    return (
        File(path=f"{UNITS}/spark-master.service", content=unit),
        Unit(name="spark-master", restart_on=READ),
        Wait(port=MASTER, host=node.address, unit="spark-master", deadline=120),
    )


def _by_name(manager: Node) -> tuple[Step, ...]:
    """The master listens where others reach it; its own host may look for its name elsewhere."""
    socket, service = configuration.name_units(manager)
    return (
        File(path=f"{UNITS}/spark-master-name.service", content=service),
        File(path=NAME_SOCKET, content=socket),
        Unit(name="spark-master-name.socket"),
    )


def _history(manager: Node, config: Config) -> tuple[Step, ...]:
    return (
        File(path=HISTORY_CONF, content=configuration.history(config)),
        File(path=f"{UNITS}/spark-history.service", content=configuration.history_unit()),
        Unit(name="spark-history", restart_on=(HISTORY_CONF, ENVIRONMENT, LOGGING)),
        Wait(port=HISTORY, host=manager.address, unit="spark-history", deadline=120),
    )


def _connect() -> tuple[Step, ...]:
    """A program of the cluster, for others: so it goes by what programs go by."""
    return (
        File(path=CONNECT_CONF, content=configuration.connect(), mode=0o640, group="spark"),
        File(path=TOKEN_FILE, content=(configuration.TOKEN, "\n"), mode=0o640, group="spark"),
        File(path=f"{UNITS}/spark-connect.service", content=configuration.connect_unit()),
        Unit(name="spark-connect", restart_on=(CONNECT_CONF, DEFAULTS, ENVIRONMENT, LOGGING)),
        Wait(port=CONNECT, host="127.0.0.1", unit="spark-connect", deadline=180),
    )


def _users(config: Config, login: str) -> tuple[str, ...]:
    return config.users or ((login,) if login not in ("", "root") else ())


def _member(user: str) -> Command:
    return Command(
        name=f"{user} may submit programs",
        argv=("gpasswd", "--add", user, "spark"),
        unless=("sh", "-c", _IN_GROUP, "member", user),
        undo_argv=("sh", "-c", f'{_IN_GROUP} && gpasswd --delete "$1" spark || true', "leave", user),
    )
