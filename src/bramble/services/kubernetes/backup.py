"""What the cluster knows, kept apart from its hosts and brought back: a snapshot of etcd.

Keys and certificates of authorities are secrets of the controller's, and go into a backup from there.
https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#restoring-an-etcd-cluster
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...model import Cluster
from ...plan import Group, Plan, group
from ...runner.backup import LAID
from ...runner.facts import Facts
from ...runner.steps import Command, Wait
from .. import Backup
from . import configuration, planes, programs
from .config import Config
from .configuration import AT_REST, CA_KEY, HOME
from .plan import plan
from .scripts import shell

SNAPSHOT = f"{LAID}/etcd.db"

#: Each says that a step is done.
READY, DONE, ABSENT = f"{LAID}/prepared", f"{LAID}/swapped", f"{LAID}/absent"

#: Seconds for servers to end and to be there again on a slow card.
SERVERS = 420.0


def onto(cluster: Cluster, config: Config) -> tuple[str, ...]:
    """Each member of etcd needs the snapshot."""
    return planes.planes(cluster, config)


def restore(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Back to the snapshot, in a cluster that is there. Pods that it does not know end, those it knows begin."""
    control = onto(cluster, config)
    members = ",".join(f"{configuration.node_name(host)}={_peer(facts[host])}" for host in control)
    groups = (
        # Nobody is touched before the snapshot has proven good on all of them.
        group("Snapshot", control, lambda host: _prepare(host, facts[host], members, config)),
        group(
            "Control plane",
            control,
            Command(
                name="etcd takes the snapshot's data",
                argv=shell("restore.sh", "restore", "swap", f"{HOME}/before-restore", DONE),
                creates=DONE,
            ),
            Wait(command=shell("readyz.sh"), name="its API server", unit="kubelet", deadline=SERVERS),
            after=["Snapshot"],
            requires=control,
        ),
        group("Nodes", cluster.hostset, _rejoin, after=["Control plane"], requires=control),
        _tidy(control),
    )
    return Plan(service="kubernetes", groups=groups)


def anew(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """As the deployment, but the control plane begins with what the snapshot knows."""
    deployment = plan(cluster, config, facts)
    member = f"{configuration.node_name(cluster.manager)}={_peer(facts[cluster.manager])}"
    at = next(number for number, part in enumerate(deployment.groups) if part.title == "Control plane")
    known = group(
        "Snapshot",
        [cluster.manager],
        _prepare(cluster.manager, facts[cluster.manager], member, config),
        Command(
            name="etcd begins with the snapshot's data",
            argv=shell("begin.sh", "begin", DONE),
            creates=DONE,
        ),
    )
    absent = group(
        "Nodes that are to join",
        [cluster.manager],
        Command(
            name="nodes of the snapshot are not there yet",
            argv=shell("absent.sh", "absent", configuration.node_name(cluster.manager), ABSENT),
            creates=ABSENT,
        ),
    )
    before, control_plane, after = deployment.groups[:at], deployment.groups[at], deployment.groups[at + 1 :]
    groups = (*before, known, control_plane, absent, *after, _tidy(onto(cluster, config)))
    return replace(deployment, groups=groups)


def _peer(facts: Facts) -> str:
    return f"https://{planes.bracketed(facts.address)}:2380"


def _prepare(host: str, facts: Facts, members: str, config: Config) -> Command:
    node, address = configuration.node_name(host), planes.bracketed(facts.address)
    words = ("prepare", SNAPSHOT, node, address, members, programs.home(config.version), READY)
    return Command(
        name="the snapshot becomes data of etcd",
        argv=shell("restore.sh", "restore", *words),
        creates=READY,
    )


def _rejoin(host: str) -> Command:
    node = configuration.node_name(host)
    return Command(
        name="the cluster knows its node",
        argv=shell("rejoin.sh", "rejoin", "do", node),
        unless=shell("rejoin.sh", "rejoin", "check", node),
    )


def _tidy(control: tuple[str, ...]) -> Group:
    return group(
        "Tidy up",
        control,
        Command(
            name="the copy of the snapshot goes",
            argv=("rm", "-rf", LAID),
            unless=("test", "!", "-e", LAID),
        ),
    )


BACKUP = Backup(
    take=shell("backup.sh", "backup"),
    secrets=(CA_KEY, AT_REST),
    onto=onto,
    restore=restore,
    anew=anew,
)
