"""A service while a node is lost ("begin", "watch", "end"): its other pods answer, and a new one comes up elsewhere.

Prints a line for everything that works.
"""

import json
import sys
import time
import urllib.request
from typing import Any

from .kubectl import apply, finish, get, inside, kubectl, passed, settled, unfit, waiting

NAMESPACE, PORT = "bramble-loss", 8080
#: Seconds that pods may take to start, the cluster to find out that a node is lost and to replace its pod, the node to
#: be back, all of the namespace to go, and a change of services to reach all nodes.
START, NOTICED, BACK, CLEAR, SETTLE = 120, 150, 120, 90, 20
#: Seconds until pods of a lost node are given up: the usual five minutes are long to watch.
TOLERATED = 5
#: Taints that tell of the state of a node begin so.
LOST = "node.kubernetes.io/"
#: How often, and for how long each time, a question is asked before nobody is said to answer. Until the cluster has
#: found out, connections may still be sent to the pod that is gone.
ATTEMPTS, PATIENCE = 10, 1

asked = json.load(sys.stdin)
lost, nodes, image = asked["lost"], asked["nodes"], asked["image"]


def _deployment(
    name: str, replicas: int, affinity: "dict[str, Any]", tolerated: "list[dict[str, str]]"
) -> "dict[str, Any]":
    labels = {"app": "loss", "part": name}
    container = {
        "name": "prove",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["serve"],
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    given_up = [
        {
            "key": f"{LOST}{why}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": TOLERATED,
        }
        for why in ("unreachable", "not-ready")
    ]
    pod = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "tolerations": [*given_up, *tolerated],
        "affinity": {"nodeAffinity": affinity},
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _on(operator: str) -> "dict[str, Any]":
    return {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": operator, "values": [lost]}]}


def _outside() -> "dict[str, Any]":
    """A process on each host's own network, which asks the others."""
    labels = {"app": "outside"}
    container = {"name": "prove", "image": image, "imagePullPolicy": "Never", "args": ["wait"]}
    pod = {
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "outside", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def _clear() -> None:
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", f"--timeout={CLEAR}s", must=False)


def _pods(label: str) -> "list[dict[str, Any]]":
    return list(get("pods", "--namespace", NAMESPACE, "--selector", label)["items"])


def _begin() -> None:
    _clear()
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": _on("In")}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_on("NotIn")]}}
    # What people or the cluster keep others off with, but not what says that a node is lost.
    keys = {taint["key"] for node in get("nodes")["items"] for taint in node["spec"].get("taints", [])}
    tolerated = [{"key": key, "operator": "Exists"} for key in sorted(keys) if not key.startswith(LOST)]
    service = {"type": "NodePort", "selector": {"app": "loss"}, "ports": [{"port": PORT}]}
    apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        _outside(),
        _deployment("home", 1, preferred, tolerated),
        *([_deployment("others", 2, required, tolerated)] if len(nodes) > 1 else []),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "loss", "namespace": NAMESPACE}, "spec": service},
    )
    pods = settled(lambda: _pods(""), lambda pods: pods and not any(map(waiting, pods)), START)
    for pod in pods:
        if waiting(pod):
            passed(f"pod {pod['metadata']['name']}", False, waiting(pod))
    port = get("service", "loss", "--namespace", NAMESPACE)["spec"]["ports"][0]["nodePort"]
    for pod in _pods("app=outside"):
        own, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
        urls = {other: f"http://{address}:{port}" for other, address in nodes.items() if other != node}
        said = settled(
            lambda: inside(NAMESPACE, own, "get", *urls.values()),  # noqa: B023
            lambda said: all(said.get(url, "error").partition(":")[0] != "error" for url in urls.values()),  # noqa: B023
            SETTLE,
        )
        for other, url in urls.items():
            came = said.get(url, "no answer")
            passed(f"port {node} {other}", came in nodes, came)
    if len(nodes) > 1:
        home = [pod["spec"].get("nodeName") for pod in _pods("part=home")]
        passed("begun", home == [lost], f"its pod is on {home}, and should be on {lost}")
    finish()


def _answer(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    why = ""
    for _ in range(ATTEMPTS):
        try:
            return str(opener.open(url, timeout=PATIENCE).read().decode())
        except OSError as error:
            why = str(getattr(error, "reason", error))
    return f"nobody answers: {why}"


def _watch() -> None:
    """From the loss until a pod is there in the place of that which is gone."""
    service = get("service", "loss", "--namespace", NAMESPACE)["spec"]["ports"][0]["nodePort"]
    urls = {node: f"http://{address}:{service}" for node, address in nodes.items() if node != lost}
    ends = time.monotonic() + NOTICED
    silent: dict[str, str] = {}
    elsewhere, why = "", ""
    while not elsewhere and time.monotonic() < ends:
        for node, url in urls.items():
            came = _answer(url)
            if came not in nodes:
                silent.setdefault(node, came)
        found = {pod["spec"].get("nodeName", ""): waiting(pod) for pod in _pods("part=home")}
        elsewhere = next((node for node, why in found.items() if node != lost and not why), "")
        why = "; ".join(f"on {node or 'no node yet'}: {why or 'ready'}" for node, why in found.items())
        time.sleep(0.5)
    for node in urls:
        passed(f"answers {node}", node not in silent, silent.get(node, ""))
    passed("elsewhere", bool(elsewhere), why)
    if silent or not elsewhere:
        _clear()
    finish()


def _end() -> None:
    """The node is there again, and all that should run on it."""

    def unready() -> str:
        why = unfit(get("node", lost))
        if why:
            return why
        found = {
            pod["metadata"]["name"]: waiting(pod) for pod in _pods("app=outside") if pod["spec"].get("nodeName") == lost
        }
        return "; ".join(f"{name}: {why}" for name, why in found.items() if why)

    why = settled(unready, lambda why: not why, BACK)
    passed("back", not why, why)
    _clear()
    finish()


{"begin": _begin, "watch": _watch, "end": _end}[sys.argv[1]]()
