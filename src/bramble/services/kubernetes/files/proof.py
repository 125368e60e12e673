"""Run pods on all nodes, and let each look at the others. Prints a line for everything that works."""

import json
import sys
import time
import urllib.request
from typing import Any

from .kubectl import apply, faults, finish, get, inside, kubectl, log, passed, settled, unfit, waiting

NAMESPACE, PORT = "bramble-proof", 8080
#: Seconds that pods may take to start, a change of services to reach all nodes, and all of the namespace to go.
START, SETTLE, CLEAR = 120, 45, 60

asked = json.load(sys.stdin)
nodes, version, image = asked["nodes"], asked["version"], asked["image"]


def _labelled(**more: Any) -> "dict[str, Any]":
    return {"metadata": {"name": "prove", "namespace": NAMESPACE}, **more}


def _wanted() -> "list[dict[str, Any]]":
    container = {
        "name": "prove",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["serve"],
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    pod = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    app = {"app": "prove"}
    template = {"metadata": {"labels": app}, "spec": pod}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            **_labelled(spec={"selector": {"matchLabels": app}, "template": template}),
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            **_labelled(spec={"type": "NodePort", "selector": app, "ports": [{"port": PORT}]}),
        },
    ]


def _pods() -> "dict[str, dict[str, Any]]":
    found = get("pods", "--namespace", NAMESPACE)["items"]
    return {pod["spec"]["nodeName"]: pod for pod in found if pod["spec"].get("nodeName") in nodes}


def _clear() -> None:
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", f"--timeout={CLEAR}s", must=False)


def _unfit(node: "dict[str, Any]") -> str:
    found = node["status"]["nodeInfo"]["kubeletVersion"]
    return unfit(node) or ("" if found == version else f"it is of version {found}")


def _log() -> "list[str]":
    """The ends of the logs that tell why."""
    said = []
    if any(fault.startswith("dns ") for fault in faults):
        said += log("kube-system", "k8s-app=kube-dns")
    apart = [fault.partition(": ")[0].split()[1:3] for fault in faults if fault.startswith("reach ")]
    if apart:
        # Who is in most of the pairs is the likely cause.
        counted = [node for pair in apart for node in pair]
        said += log("kube-flannel", "app=flannel", max(counted, key=counted.count))
    return said


def _from_outside(url: str) -> str:
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return str(opener.open(url, timeout=5).read().decode())
    except OSError as error:
        return f"error: {getattr(error, 'reason', error)}"


def _look(pods: "dict[str, dict[str, Any]]") -> None:
    service = get("service", "prove", "--namespace", NAMESPACE)["spec"]
    addresses = {node: pod["status"].get("podIP", "") for node, pod in pods.items()}
    cluster_ip, outside = f"http://{service['clusterIP']}:{PORT}", service["ports"][0]["nodePort"]
    name = f"prove.{NAMESPACE}.svc.cluster.local"
    # All nodes learn of it meanwhile: what does not work by then is not waited for once more on each.
    ends = time.monotonic() + SETTLE
    for node, pod in pods.items():
        own = pod["metadata"]["name"]
        urls = [f"http://{address}:{PORT}" for address in addresses.values()]
        said = settled(
            lambda: inside(NAMESPACE, own, "get", *urls, cluster_ip),  # noqa: B023
            lambda said: all(said.get(url, "error").partition(":")[0] != "error" for url in [*urls, cluster_ip]),  # noqa: B023
            ends - time.monotonic(),
        )
        for (other, _), url in zip(addresses.items(), urls):  # noqa: B905 - Python 3.9
            passed(f"reach {node} {other}", said.get(url) == other, said.get(url, "no answer"))
        passed(f"service {node}", said.get(cluster_ip, "") in pods, said.get(cluster_ip, "no answer"))
        found = settled(
            lambda: inside(NAMESPACE, own, "lookup", name),  # noqa: B023
            lambda found: found.get(name) == service["clusterIP"],
            ends - time.monotonic(),
        )
        passed(f"dns {node}", found.get(name) == service["clusterIP"], found.get(name, "no answer"))
        came = settled(
            lambda: _from_outside(f"http://{nodes[node]}:{outside}"),  # noqa: B023
            lambda came: came in pods,
            ends - time.monotonic(),
        )
        passed(f"port {node}", came in pods, came)
        logs = kubectl("--namespace", NAMESPACE, "logs", own, must=False)
        passed(f"logs {node}", f"serving on {node}" in logs, logs.strip() or "none")


# Where a host of several has just gone, etcd finds itself another leader first.
answer = settled(lambda: kubectl("get", "--raw", "/readyz", must=False).strip(), lambda said: said == "ok", 30)
passed("api ready", answer == "ok")
# Hosts that could not be asked have failed already, each for itself; the proof is about the others.
for node in get("nodes")["items"]:
    if node["metadata"]["name"] in nodes:
        why = _unfit(node)
        passed(f"node {node['metadata']['name']} ready", not why, why)
_clear()
try:
    apply(*_wanted())
    # Not by ``rollout status``: that would wait for nodes, too, that are known to be away.
    pods = settled(_pods, lambda found: len(found) == len(nodes) and not any(map(waiting, found.values())), START)
    running = {}
    for node, pod in pods.items():
        why = waiting(pod)
        passed(f"pod {node} runs", not why, why)
        if not why:
            running[node] = pod
    _look(running)
    told = _log()
finally:
    _clear()
finish(*told)
