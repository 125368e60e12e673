"""Labels and taints of nodes, as the cluster file tells them: "the six with a stick" are said once."""

from __future__ import annotations

import difflib
import json

from ...errors import PlanError
from ...model import Cluster
from ...plan import Group, group
from ...runner.steps import Command
from . import configuration
from .scripts import script
from .taints import FREE, Taint, reserved, unfit


def groups(cluster: Cluster, taints: tuple[str, ...]) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """What gives the nodes their labels and taints, and what a person should know about them.

    What bramble set is written down at each node, so that it is taken off again when the file no longer says it; what
    somebody set with kubectl stays.

    Raises
    ------
    PlanError
        A label that Kubernetes keeps for itself.
    """
    wanted, notes = _wanted(cluster, tuple(map(Taint.parse, taints)))
    if not any(one["labels"] for one in wanted.values()):
        return (), notes

    def words(verb: str) -> tuple[str, ...]:
        return (*script("mark.py"), verb)

    step = Command(
        name="labels and taints of the nodes",
        argv=words("set"),
        unless=words("check"),
        undo_argv=words("clear"),
        input=json.dumps(wanted),
        timeout=120,
    )
    return (group("Labels", [cluster.manager], step, after=["Nodes"]),), notes


def _wanted(cluster: Cluster, taints: tuple[Taint, ...]) -> tuple[dict[str, dict[str, object]], tuple[str, ...]]:
    wanted: dict[str, dict[str, object]] = {}
    refused: dict[str, list[str]] = {}
    for host in cluster.hosts:
        labels = {name: value for name, value in host.labels.items() if not unfit(name, value)}
        for name in host.labels:
            if name not in labels:
                refused.setdefault(unfit(name, host.labels[name]), []).append(host.name)
        theirs = sorted(filter(reserved, labels))
        if theirs:
            raise PlanError(
                f"{host.name}: the label {theirs[0]} is Kubernetes' own to set",
                hint=f"give it another name in the cluster file, such as {theirs[0].rpartition('/')[2]}; of these "
                f"domains yours are {', '.join(FREE)}",
            )
        chosen = {(taint.label, taint.effect): labels[taint.label] for taint in taints if taint.holds(labels)}
        wanted[configuration.node_name(host.name)] = {
            "labels": labels,
            "taints": [{"key": key, "value": value, "effect": effect} for (key, effect), value in chosen.items()],
        }
    told = [f"{', '.join(hosts)}: not a label of the node: {why}" for why, hosts in refused.items()]
    told += [_nobody(taint, cluster) for taint in taints if not any(taint.holds(host.labels) for host in cluster.hosts)]
    return wanted, tuple(told)


def _nobody(taint: Taint, cluster: Cluster) -> str:
    known = {label for host in cluster.hosts for label in host.labels}
    close = difflib.get_close_matches(taint.label, sorted(known), 1)
    near = f" (did you mean {close[0]!r}?)" if close and close[0] != taint.label else ""
    said = taint.label if taint.value is None else f"{taint.label}={taint.value}"
    return f"taints: no host has the label {said}{near}, so {taint} holds for none"
