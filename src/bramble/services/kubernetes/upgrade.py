"""From one version to the next, in kubeadm's own order: the control plane first, then node after node.

https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...errors import PlanError
from ...model import Cluster
from ...plan import Group, Plan, group
from ...runner.facts import Facts
from ...runner.steps import Command, File, Wait
from . import configuration, programs, refusals
from .config import Config
from .configuration import HOME, text
from .plan import artifacts, programs_of
from .scripts import shell

#: Seconds for the control plane: kubeadm gives each of its four servers five minutes to come back.
CONTROL_PLANE = 1500.0

#: Seconds a kubelet may take to be ready in its new version, programs and all.
NODE = 420.0

#: Seconds on top of the deadline for moving pods away.
GRACE = 60.0


def upgrade(cluster: Cluster, config: Config, facts: Mapping[str, Facts], before: str) -> Plan:
    """All programs are on all hosts before the first is used; a node is back and well before the next one goes.

    Raises
    ------
    PlanError
        A minor version would be left out, or these hosts cannot have the later one.
    """
    _require_next(before, config.version)
    everyone, manager = cluster.hostset, [cluster.manager]

    groups = [
        group("Programs", everyone, lambda host: programs_of(cluster, config, facts, host)),
        group(
            "Control plane",
            manager,
            File(path=f"{HOME}/init.yaml", content=configuration.init(cluster, config, facts), mode=0o600),
            File(path=f"{HOME}/restore.sh", content=text("restore.sh")),
            _control_plane(cluster, config, facts),
            after=["Programs"],
            requires=everyone,
            timeout=CONTROL_PLANE,
        ),
    ]
    last = "Control plane"
    for host in (cluster.manager, *cluster.workers):
        groups += _node(cluster, config, host, last)
        last = f"Return {host}"
    return Plan(
        service="kubernetes",
        groups=tuple(groups),
        notes=refusals.check(cluster, config, facts),
        artifacts=artifacts(config, [facts[host].architecture for host in everyone]),
    )


def _require_next(before: str, after: str) -> None:
    step = programs.minor(after)[1] - programs.minor(before)[1]
    if step > 1:
        between = next(one for one in programs.VERSIONS if programs.minor(one)[1] == programs.minor(before)[1] + 1)
        raise PlanError(
            f"Kubernetes goes from one minor version to the next only, and {before} to {after} leaves one out",
            hint=f"first: bramble upgrade kubernetes --to {between}",
        )


def _control_plane(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Command:
    name, address = configuration.node_name(cluster.manager), facts[cluster.manager].address
    return Command(
        name=f"upgrade the control plane to {config.version}",
        argv=(
            "sh",
            "-c",
            text("apply.sh"),
            "apply",
            config.version,
            programs.home(config.version),
            HOME,
            name,
            address,
        ),
        creates=f"{HOME}/apply-{config.version}.done",
        timeout=CONTROL_PLANE,
    )


def _node(cluster: Cluster, config: Config, host: str, last: str) -> Iterator[Group]:
    node, home = configuration.node_name(host), programs.home(config.version)
    phase = "apply" if host == cluster.manager else "node"
    moved = last
    if len(cluster.hosts) > 1:  # on a single host there is nowhere to go
        moved = f"Drain {host}"
        yield group(
            moved,
            [cluster.manager],
            Command(
                name=f"move what runs on {host} away",
                argv=shell("aside.sh", "aside", node, str(int(config.leave_deadline))),
                unless=shell("at.sh", "at", node, config.version),
                timeout=config.leave_deadline + GRACE,
            ),
            after=[last],
            requires=cluster.hostset,
            timeout=config.leave_deadline + 2 * GRACE,
        )
    yield group(
        f"Upgrade {host}",
        [host],
        Command(
            name=f"{host} takes version {config.version}",
            argv=shell("take.sh", "take", config.version, home, phase, node),
            unless=shell("taken.sh", "taken", config.version, home, node),
            timeout=NODE,
        ),
        after=[moved],
        requires=[cluster.manager],
    )
    # Also where the upgrade failed: the node went back to what it was, and may work again.
    yield group(
        f"Return {host}",
        [cluster.manager],
        Command(
            name=f"pods may run on {host} again",
            argv=shell("return.sh", "return", node),
            unless=shell("return.sh", "check", node),
        ),
        Wait(
            command=shell("ready.sh", "ready", node),
            name="the node and the system's pods",
            unit="kubelet",
            deadline=300,
        ),
        after=[f"Upgrade {host}"],
        timeout=NODE,
        retries=1,
    )
