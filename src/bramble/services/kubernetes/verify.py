"""Whether Kubernetes does its work: pods on every node that reach each other in every way that is promised."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import configuration, planes, programs, proofs
from .config import Config
from .scripts import script, shell


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """The kubelet of each host first, since without it a node only seems to be alive; then the cluster, from within."""
    kubelet = Probe(
        name="the kubelet is well",
        argv=shell("healthz.sh"),
        expect_lines=("ok",),
        log_units=("kubelet",),
        hint="journalctl -u kubelet",
    )
    # The way by which hosts find the API server leads to any; here each of them is asked itself.
    server = Probe(
        name="its API server is ready",
        argv=shell("readyz.sh"),
        expect_lines=("ok",),
        log_units=("kubelet",),
        hint="kubectl --namespace kube-system get pods",
    )
    nodes = {configuration.node_name(host): host for host in cluster.hostset}
    lines = _expected(nodes, config.version)
    asked = {
        "nodes": {node: facts[host].address for node, host in nodes.items()},
        "version": f"v{config.version}",
        "image": programs.image_name("prove", config.version),
    }
    proof = Probe(
        name="pods reach each other",
        argv=script("proof.py"),
        input=json.dumps(asked),
        expect_lines=tuple(lines),
        blame=lines,
        hint="kubectl get nodes; kubectl get pods --all-namespaces --output wide",
        timeout=300,
    )
    return Plan(
        service="kubernetes",
        groups=(
            group("Kubelets", cluster.hostset, kubelet),
            group("Control plane", planes.planes(cluster, config), server),
            group(
                "Pods",
                [cluster.manager],
                proof,
                *proofs.probes(nodes, config),
                after=["Kubelets"],
                requires=cluster.hostset,
                timeout=1020,
            ),
        ),
    )


def _expected(nodes: Mapping[str, str], version: str) -> dict[str, str]:
    """Each line that the proof prints, and what to say where it does not come: what explains others comes first."""
    lines = {"api ready": "the API server does not call itself ready"}
    for node, host in nodes.items():
        lines[f"node {node} ready"] = f"{host} is not a ready node of version {version}"
        lines[f"pod {node} runs"] = f"no pod runs on {host}"
    for node, host in nodes.items():
        for other, peer in nodes.items():
            lines[f"reach {node} {other}"] = f"pods on {host} do not reach pods on {peer}"
    for node, host in nodes.items():
        lines[f"dns {node}"] = f"pods on {host} cannot resolve names"
        lines[f"service {node}"] = f"pods on {host} do not reach a service by its address"
        lines[f"port {node}"] = f"a service's port on {host} does not answer from outside the pods"
        lines[f"logs {node}"] = f"no logs come from {host}"
    return lines
