"""What is to be done on each host to run containers there."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command, Directory, File, Package, Unit
from .. import kernel
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
    """Hosts have nothing to do with each other here.

    A kernel that does not limit memory is put right here, so that a host that has to restart for it does so before
    anything runs there, and before what other services bring is on its way to it.
    """
    waking = [host for host in cluster.hostset if len(kernel.memory(facts[host])) > 1]
    parts = (
        group("Kernel", cluster.hostset, lambda host: kernel.memory(facts[host])),
        group("Folders", cluster.hostset, *FOLDERS),
        group("Packages", cluster.hostset, Package(names=PACKAGES, start=False)),
        group("Configuration", cluster.hostset, File(path=CONF, content=configuration.config_toml(config))),
        group("Daemon", cluster.hostset, Unit(name="containerd", restart_on=(CONF,)), _end_of_containers()),
    )
    return Plan(
        service="containerd",
        groups=tuple(part for part in parts if any(part.steps.values())),
        notes=(f"{', '.join(waking)}: restarts first, so that the kernel limits memory",) if waking else (),
    )


def _end_of_containers() -> Command:
    return Command(
        name="containers end when containerd leaves",
        argv=("touch", MARK),
        creates=MARK,
        undo_argv=("sh", "-c", configuration.text("end.sh"), "end", MARK),
    )
