"""What is proven on request, because it takes a while and stops something: a node is lost, and its pods live on."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import configuration, programs
from .config import Config
from .scripts import script, shell

#: Seconds after which a node that was lost for the proof comes back by itself, should the run be cut.
GUARD = 300


def deep(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Ports of services from host to host; then the kubelet of the last worker stops until its pods are elsewhere."""
    nodes = {configuration.node_name(host): host for host in cluster.hostset}
    workers = [host for host in cluster.hostset if host != cluster.manager]
    lost = workers[-1] if workers else cluster.manager
    asked = json.dumps(
        {
            "nodes": {node: facts[host].address for node, host in nodes.items()},
            "lost": configuration.node_name(lost),
            "image": programs.image_name("prove", config.version),
        }
    )

    def step(verb: str, name: str, lines: Mapping[str, str], timeout: float) -> Probe:
        return Probe(
            name=name,
            argv=(*script("loss.py"), verb),
            input=asked,
            expect_lines=tuple(lines),
            blame=lines,
            hint="kubectl get nodes; kubectl get pods --all-namespaces --output wide",
            timeout=timeout,
        )

    begin = {
        f"port {node} {other}": f"{host} does not reach a service's port on {peer}"
        for node, host in nodes.items()
        for other, peer in nodes.items()
        if node != other
    }
    if not workers:
        end = step("end", "nothing is left of it", {"back": f"{lost} is not ready"}, 240)
        return Plan(
            service="kubernetes",
            groups=(group("Ports", [cluster.manager], step("begin", "ports", begin, 240), end, timeout=500),),
            notes=(f"{lost} is alone, so no other could take over what runs on it: that was not tried",),
        )
    begin["begun"] = f"no pod runs on {lost}"
    watch = {
        **{f"answers {node}": f"the service does not answer on {host}" for node, host in nodes.items() if host != lost},
        "elsewhere": f"no pod came up in the place of that on {lost}",
    }
    manager = [cluster.manager]
    return Plan(
        service="kubernetes",
        groups=(
            group("Ports", manager, step("begin", "services' ports from host to host", begin, 240), timeout=260),
            group("Loss", [lost], _lose("lost", "the node is lost"), after=["Ports"], requires=manager),
            group(
                "Survival", manager, step("watch", "a service lives on", watch, 240), after=["Loss"], requires=[lost]
            ),
            group("Return", [lost], _lose("back", "the node comes back"), after=["Survival"]),
            group(
                "End", manager, step("end", "the node is back", {"back": f"{lost} is not back"}, 240), after=["Return"]
            ),
        ),
    )


def _lose(verb: str, name: str) -> Probe:
    return Probe(
        name=name,
        argv=shell("lose.sh", verb, str(GUARD)),
        expect_lines=(verb,),
        log_units=("kubelet",),
        hint="systemctl start kubelet",
    )
