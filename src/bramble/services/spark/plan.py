"""What is to be done on each host to bring Spark up."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, Group, Link, Tree, Unit, User, Wait
from . import configuration
from .catalogue import HOME, TREE
from .config import Config
from .nodes import MASTER, NAME_SOCKET, WORKER_WEB, Node, describe

CONF = "/etc/spark"
DEFAULTS, ENVIRONMENT = f"{CONF}/spark-defaults.conf", f"{CONF}/spark-env.sh"
LOGGING = f"{CONF}/log4j2.properties"

#: What daemons read when they start, besides their units.
READ = (DEFAULTS, ENVIRONMENT, LOGGING)

UNITS = "/etc/systemd/system"
LIBRARY = "/usr/local/lib/bramble"

#: On every host's path, and what they all are.
COMMANDS = ("pyspark", "spark-shell", "spark-sql", "spark-submit")
COMMAND = f"{LIBRARY}/spark-command"

#: Whether a user is in the group spark; says nothing of users that are not there.
_IN_GROUP = """case " $(id --name --groups "$1") " in *" spark "*) true ;; *) false ;; esac"""

#: Seconds a host may take for the tree: 430 MB from a neighbour, onto a slow card.
_TREE_TIMEOUT = 1800.0


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Spark on all hosts of a cluster: the master on the manager, a worker on all that work.

    Raises
    ------
    PlanError
        Hosts that cannot have Spark, or not together; the message names them.
    """
    nodes = describe(cluster, config, facts)
    everyone, manager = cluster.hostset, [cluster.manager]
    working = [node.host for node in nodes.working]

    def files(host: str) -> tuple[Step, ...]:
        return (
            File(path=DEFAULTS, content=configuration.defaults(nodes, config), mode=0o640, group="spark"),
            File(path=ENVIRONMENT, content=configuration.environment(nodes.of(host))),
            File(path=LOGGING, content=configuration.logging()),
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
        group("Spark", everyone, Tree(artifact=TREE.id, path=HOME), *_commands(), timeout=_TREE_TIMEOUT),
        group("Configuration", everyone, files),
        group("Submitters", [name for name in everyone if users[name]], lambda host: map(_member, users[host])),
        group("Master", manager, *_master(nodes.manager, configuration.master_unit(nodes))),
        group("Name", manager if nodes.manager.loopback else (), *_by_name(nodes.manager)),
        group("Workers", working, worker, after=["Master"], requires=manager),
    )
    return Plan(
        service="spark",
        groups=tuple(part for part in groups if part.steps),
        artifacts=(TREE,),
        notes=(f"web interface, open to all who reach it: http://{nodes.manager.address}:8080",),
    )


def _folders() -> tuple[Step, ...]:
    """What daemons and programs write: logs, what they work on, and records of what ran. No use without Spark."""
    # Programs run as whoever starts them: all of the group leave their records in events, each their own.
    modes = {"": 0o755, "/work": 0o750, "/local": 0o750, "/events": 0o3770}
    written = (
        Directory(path=f"/var/lib/spark{name}", mode=mode, owner="spark", group="spark", scratch=True)
        for name, mode in modes.items()
    )
    return (Directory(path=LIBRARY), Directory(path=CONF), *written)


def _commands() -> tuple[Step, ...]:
    links = (Link(path=f"/usr/local/bin/{name}", target=COMMAND) for name in COMMANDS)
    return (File(path=COMMAND, content=configuration.command(), mode=0o755), *links)


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


def _users(config: Config, login: str) -> tuple[str, ...]:
    return config.users or ((login,) if login not in ("", "root") else ())


def _member(user: str) -> Command:
    return Command(
        name=f"{user} may submit programs",
        argv=("gpasswd", "--add", user, "spark"),
        unless=("sh", "-c", _IN_GROUP, "member", user),
        undo_argv=("sh", "-c", f'{_IN_GROUP} && gpasswd --delete "$1" spark || true', "leave", user),
    )
