"""What is to be done on each host to bring Slurm up."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.secret import Secret
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, Group, Link, Package, Unit, User, Wait
from .. import kernel
from . import configuration, nodes, refusals, releases
from .config import Config

#: The one secret that all hosts share: whoever has it is believed by all of them. 1024 bytes, as mungekey makes it.
KEY = Secret("slurm/munge.key", size=1024)
KEY_FILE = "/etc/munge/munge.key"

#: Debian's own number for the user slurm (base-passwd's list of reserved ones), so that it is the same on all hosts.
SLURM_ID = 64030

CONF, CGROUP, GRES = "/etc/slurm/slurm.conf", "/etc/slurm/cgroup.conf", "/etc/slurm/gres.conf"
DBD, MARIADB = "/etc/slurm/slurmdbd.conf", "/etc/mysql/mariadb.conf.d/60-slurm.cnf"

#: Where slurmdbd listens: Slurm's default.
DBD_PORT = 6819

#: Debian's word for an architecture → its folder of libraries.
LIBRARIES = {"arm64": "aarch64-linux-gnu", "armhf": "arm-linux-gnueabihf", "amd64": "x86_64-linux-gnu"}


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Slurm on all hosts of a cluster: the daemon that commands on the manager, the one that obeys on all that work.

    Raises
    ------
    PlanError
        Hosts that cannot have Slurm, or not together; the message names them.
    """
    slurm = nodes.describe(cluster, config, facts)
    refusals.check(slurm, config)
    refusals.check_queues(slurm)
    manager, everyone, working = [cluster.manager], slurm.hosts, slurm.working_hosts

    def packages(host: str) -> Step:
        return _packages(slurm.of(host), config, manages=host == cluster.manager)

    def files(host: str) -> tuple[Step, ...]:
        return _files(slurm, slurm.of(host), config)

    def pmix(host: str) -> tuple[Step, ...]:
        return _pmix(slurm.of(host))

    prepared = ["Packages", "Accounting"] if config.accounting else ["Packages"]
    configured = ["Configuration", "Rest"] if slurm.gres else ["Configuration"]
    # With another key, slurmd must report anew, so that the controller believes it again.
    node_files = (KEY_FILE, CONF, CGROUP, GRES) if slurm.gres else (KEY_FILE, CONF, CGROUP)
    groups = (
        # Users, folders and key come before the packages that would make others; so they also go after them.
        group("Users", everyone, *_users()),
        group("Folders", everyone, *_folders()),
        group("Key", everyone, File(path=KEY_FILE, content=KEY, mode=0o400, owner="munge", group="munge")),
        group("Packages", everyone, packages),
        group("MPI", working if config.mpi == "pmix" else (), pmix),
        group("Munge", everyone, Unit(name="munge", restart_on=(KEY_FILE,))),
        group("Accounting", manager if config.accounting else (), *_accounting(slurm.manager)),
        # The hosts that work already hear of a new one only when that is ready for work.
        group("Configuration", everyone, files, after=prepared, requires=manager),
        # Running jobs live on while these are restarted: each has a daemon of its own that looks after it.
        group("Rest", working if slurm.gres else (), _rest()),
        group("Controller", manager, Unit(name="slurmctld", restart_on=(CONF,)), after=configured),
        group(
            "Node daemons", working, Unit(name="slurmd", restart_on=node_files), _end_of_jobs(), after=["Controller"]
        ),
    )
    return Plan(service="slurm", groups=tuple(part for part in groups if any(part.steps.values())), notes=_notes(slurm))


def _users() -> tuple[Step, ...]:
    return (
        Group(name="slurm", gid=SLURM_ID),
        User(name="slurm", uid=SLURM_ID, group="slurm"),
        Group(name="munge"),
        User(name="munge", group="munge"),
    )


def _folders() -> tuple[Step, ...]:
    """What the daemons write is no use without them: the queue and the logs go with the service."""
    return (
        Directory(path="/etc/munge", mode=0o700, owner="munge", group="munge"),
        Directory(path="/var/lib/munge", mode=0o711, owner="munge", group="munge", scratch=True),
        Directory(path="/var/log/munge", mode=0o700, owner="munge", group="munge", scratch=True),
        Directory(path="/etc/slurm"),
        Directory(path="/var/lib/slurm", owner="slurm", group="slurm", scratch=True),
        Directory(path="/var/lib/slurm/slurmctld", mode=0o700, owner="slurm", group="slurm", scratch=True),
        Directory(path="/var/lib/slurm/slurmd", owner="slurm", group="slurm", scratch=True),
        Directory(path="/var/log/slurm", owner="slurm", group="slurm", scratch=True),
    )


def _packages(node: nodes.Node, config: Config, *, manages: bool) -> Step:
    names = ["munge", "slurm-client"]
    if manages:
        names += ["slurmctld"]
    if manages and config.accounting:
        names += ["mariadb-server", "slurmdbd"]
    if node.works:
        names += ["slurmd"]
    if node.works and config.mpi == "pmix":
        names += ["openmpi-bin", "python3-mpi4py"]
    return Package(names=tuple(names), start=False)


def _pmix(node: nodes.Node) -> tuple[Step, ...]:
    # Debian's Slurm looked for the name that only the package for developers brings, and that would take along a
    # compiler; from 24.11 on it looks for the library itself [tried on bookworm and trixie].
    folder = LIBRARIES.get(node.facts.architecture)
    if folder is None or releases.at_least(node.version, "24.11"):
        return ()
    return (Link(path=f"/usr/lib/{folder}/pmix2/lib/libpmix.so", target="libpmix.so.2"),)


def _accounting(manager: nodes.Node) -> tuple[Step, ...]:
    return (
        File(path=MARIADB, content=configuration.mariadb_conf(manager)),
        Unit(name="mariadb", restart_on=(MARIADB,)),
        Command(
            name="make the accounting database",
            argv=("mariadb", "--batch"),
            input=configuration.accounting_sql(),
            unless=("runuser", "-u", "slurm", "--", "mariadb", "--execute=SELECT 1", configuration.DATABASE),
        ),
        File(path=DBD, content=configuration.slurmdbd_conf(manager), mode=0o600, owner="slurm", group="slurm"),
        Unit(name="slurmdbd", restart_on=(DBD,)),
        # The first start makes all tables, which takes a while on a card.
        Wait(port=DBD_PORT, unit="slurmdbd", deadline=180),
    )


def _files(slurm: nodes.Nodes, node: nodes.Node, config: Config) -> tuple[Step, ...]:
    files: tuple[Step, ...] = (File(path=CONF, content=configuration.slurm_conf(slurm, config)),)
    if node.works:
        files += (File(path=CGROUP, content=configuration.cgroup_conf(slurm, node)),)
    if slurm.gres:
        files += (File(path=GRES, content=configuration.gres_conf(slurm)),)
    return files


def _rest() -> Step:
    # A node that reports fewer resources than the controller has been told of is drained for good, and so it would be
    # in the moment when one of them is restarted and the other is not.
    return Command(
        name="rest while the controller learns of other resources",
        argv=("systemctl", "stop", "slurmd"),
        when_changed=(GRES,),
    )


def _end_of_jobs() -> Step:
    # Jobs live on when slurmd stops, as they must when it restarts. When it goes for good, they go, too: with control
    # groups of the old kind and without any they are in slurmd's own unit, else in a scope beside it.
    return Command(
        name="jobs end when slurmd leaves",
        argv=("touch", "/var/lib/slurm/slurmd/.jobs"),
        creates="/var/lib/slurm/slurmd/.jobs",
        undo_argv=("sh", "-c", configuration.text("end.sh")),
    )


def _notes(slurm: nodes.Nodes) -> tuple[str, ...]:
    notes = list(slurm.notes)
    watched = [node for node in slurm.working if not (slurm.can_group and node.can_limit_memory)]
    # Where the kernel could but the Slurm is too old for it, a kernel argument would not help.
    helped = [node.host for node in watched if not node.can_limit_memory]
    if watched:
        names = ", ".join(node.host for node in watched)
        text = f"{names}: slurmd looks every 5 s whether jobs keep to their memory, because the kernel cannot hold them"
        if helped:
            text += f"; on {', '.join(helped)} it could after {kernel.SWITCH_ON}"
        notes.append(text)
    return tuple(notes)
