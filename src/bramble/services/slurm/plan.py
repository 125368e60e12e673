"""What is to be done on each host to bring Slurm up."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Directory, File, Group, Package, Unit, User
from ...runner.wire import Secret
from . import configuration, nodes
from .config import Config

#: The one secret that all hosts share: whoever has it is believed by all of them. 1024 bytes, as mungekey makes it.
KEY = Secret("slurm/munge.key", size=1024)

#: Debian's own number for the user slurm (base-passwd's list of reserved ones), so that it is the same on all hosts.
SLURM_ID = 64030

CONF, CGROUP = "/etc/slurm/slurm.conf", "/etc/slurm/cgroup.conf"


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Slurm on all hosts of a cluster: the daemon that commands on the manager, the one that obeys on all that work.

    Raises
    ------
    PlanError
        Hosts that cannot have Slurm, or not together; the message names them.
    """
    slurm = nodes.describe(cluster, config, facts)
    manager, everyone, workers = [cluster.manager], slurm.hosts, slurm.working_hosts

    def packages(host: str) -> Package:
        wanted = ["munge", "slurm-client"]
        wanted += ["slurmctld"] if host == cluster.manager else []
        wanted += ["slurmd"] if slurm.of(host).works else []
        return Package(names=tuple(wanted), start=False)

    def cgroup_conf(host: str) -> File:
        return File(path=CGROUP, content=configuration.cgroup_conf(slurm.of(host)))

    return Plan(
        service="slurm",
        groups=(
            # Users, folders and key come before the packages that would make others; so they also go after them.
            group("Users", everyone, *_users()),
            group("Folders", everyone, *_folders()),
            group("Key", everyone, File(path="/etc/munge/munge.key", content=KEY, mode=0o400, owner="munge", group="munge")),
            group("Packages", everyone, packages),
            # The hosts that work already hear of a new one only when that is ready for work.
            group(
                "Configuration",
                everyone,
                File(path=CONF, content=configuration.slurm_conf(slurm, config)),
                cgroup_conf,
                after=["Packages"],
            ),
            group("Munge", everyone, Unit(name="munge", restart_on=("/etc/munge/munge.key",))),
            # Jobs live on while these are restarted. The nodes come first: when the controller calls on one that is
            # new, those that pass the call on must know it.
            group("Node daemons", workers, Unit(name="slurmd", restart_on=(CONF, CGROUP))),
            group("Controller", manager, Unit(name="slurmctld", restart_on=(CONF,)), after=["Node daemons"]),
        ),
    )


def _users() -> tuple[Group | User, ...]:
    return (
        Group(name="slurm", gid=SLURM_ID),
        User(name="slurm", uid=SLURM_ID, group="slurm"),
        Group(name="munge"),
        User(name="munge", group="munge"),
    )


def _folders() -> tuple[Directory, ...]:
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
