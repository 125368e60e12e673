"""What is to be done on each host to run Docker there."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, JsonKeys, Package, Sysctl, Unit
from . import configuration, refusals
from .config import Config
from .configuration import text

CONF = "/etc/docker/daemon.json"
DROP_IN = "/etc/systemd/system/docker.service.d"

#: Debian before trixie, and Ubuntu, have the command `docker` in docker.io itself.
WITH_COMMAND = ("11", "12")

#: Whether a user is in the group docker; says nothing of users that are not there.
IN_GROUP = """case " $(id --name --groups "$1") " in *" docker "*) true ;; *) false ;; esac"""


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Hosts have nothing to do with each other here.

    Raises
    ------
    PlanError
        Hosts that cannot have it; the message names them.
    """
    notes = refusals.check(cluster, config, facts)
    everyone = cluster.hostset

    def packages(host: str) -> tuple[Step, ...]:
        return _packages(facts[host])

    groups = (
        # Folders come before the package that would make them; so they also go after it.
        group("Folders", everyone, *_folders(config)),
        group("Packages", everyone, packages),
        group("End", everyone, _end(config)),
        # Docker would switch it on by itself, and not off again; and see files/docker.conf.
        group("Kernel", everyone, Sysctl(key="net.ipv4.ip_forward", value="1")),
        group("Configuration", everyone, *_configuration(config)),
        group("Daemon", everyone, Unit(name="docker", restart_on=(CONF, f"{DROP_IN}/bramble.conf"))),
        group("Users", everyone if config.users else (), *(_member(user) for user in config.users)),
    )
    return Plan(service="docker", groups=tuple(part for part in groups if part.steps), notes=notes)


def _packages(facts: Facts) -> tuple[Step, ...]:
    split = facts.os != "ubuntu" and facts.release not in WITH_COMMAND
    return (
        # For the day when Docker leaves: iptables cannot take away the empty tables that it makes. It comes on its own,
        # so that all that came with Docker can go where Kubernetes keeps this.
        Package(names=("nftables",), start=False),
        Package(names=("docker.io", "docker-cli") if split else ("docker.io",), start=False),
    )


def _folders(config: Config) -> tuple[Step, ...]:
    """Modes are Docker's own. Volumes are what users value; the rest goes with Docker (files/end.sh)."""
    home = config.data
    return (
        Directory(path="/etc/docker"),
        Directory(path=home, mode=0o710),
        Directory(path=f"{home}/volumes", mode=0o701, data=True),
        Directory(path=f"{home}/.bramble", mode=0o700, scratch=True),
        Command(
            name=f"note what {home} holds already",
            argv=("sh", "-c", text("before.sh"), "before", home),
            creates=f"{home}/.bramble/before",
        ),
    )


def _end(config: Config) -> Command:
    mark = f"{config.data}/.bramble/end"
    return Command(
        name=f"what Docker makes, also in {config.data}, goes with it",
        argv=("touch", mark),
        creates=mark,
        undo_argv=("sh", "-c", text("end.sh"), "end", config.data),
    )


def _configuration(config: Config) -> tuple[Step, ...]:
    keys = configuration.daemon_keys(config)
    drop_in = (
        Directory(path=DROP_IN),
        File(path=f"{DROP_IN}/bramble.conf", content=configuration.drop_in()),
    )
    if not keys:
        return drop_in
    valid = Command(
        name=f"{CONF} makes sense to Docker",
        argv=("sh", "-c", text("validate.sh"), "validate", CONF),
        when_changed=(CONF,),
    )
    return (*drop_in, JsonKeys(path=CONF, keys=keys), valid)


def _member(user: str) -> Command:
    return Command(
        name=f"{user} is in the group docker",
        argv=("gpasswd", "--add", user, "docker"),
        unless=("sh", "-c", IN_GROUP, "member", user),
        undo_argv=("sh", "-c", f'{IN_GROUP} && gpasswd --delete "$1" docker || true', "leave", user),
    )
