"""What is to be done on each host to run containers there."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command, Directory, File, Package, Unit
from . import configuration
from .config import Config

CONF = "/etc/containerd/config.toml"

#: runc comes with containerd; the plugins connect containers to a network.
PACKAGES = ("containerd", "containernetworking-plugins")

#: Where the daemon keeps images and what containers write, and where it looks for networks. It makes both by itself;
#: neither is of use without it.
FOLDERS = (
    Directory(path="/var/lib/containerd", mode=0o700, scratch=True),
    Directory(path="/etc/cni"),
    Directory(path="/etc/cni/net.d"),
)

#: Marks a host on which containers may run, so that they end with the service.
MARK = "/var/lib/containerd/.bramble"


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Hosts have nothing to do with each other here."""
    return Plan(
        service="containerd",
        groups=(
            group("Folders", cluster.hostset, *FOLDERS),
            group("Packages", cluster.hostset, Package(names=PACKAGES, start=False)),
            group("Configuration", cluster.hostset, File(path=CONF, content=configuration.config_toml(config))),
            group("Daemon", cluster.hostset, Unit(name="containerd", restart_on=(CONF,)), _end_of_containers()),
        ),
    )


def _end_of_containers() -> Command:
    return Command(
        name="containers end when containerd leaves",
        argv=("touch", MARK),
        creates=MARK,
        undo_argv=("sh", "-c", configuration.text("end.sh"), "end", MARK),
    )
