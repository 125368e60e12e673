"""Prove that volumes outlive their pods, on each node: written by one pod, read by the next. A line for each."""

import json
import os
import sys

from .kubectl import apply, finish, get, inside, kubectl, passed, settled, waiting

NAMESPACE, FILE = "bramble-volumes", "/volume/proof"
#: Seconds that volumes and pods may take to be there, and all of the namespace to go.
START, CLEAR = 120, 90

asked = json.load(sys.stdin)
token = os.urandom(8).hex()


def _claim(node: str) -> "dict[str, object]":
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": node, "namespace": NAMESPACE},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }


def _pod(node: str) -> "dict[str, object]":
    container = {
        "name": "prove",
        "image": asked["image"],
        "imagePullPolicy": "Never",
        "args": ["serve"],
        "volumeMounts": [{"name": "volume", "mountPath": "/volume"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": node, "namespace": NAMESPACE},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": node},
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            # Nobody of importance may write and read them, too.
            "securityContext": {"runAsUser": 1000, "runAsNonRoot": True},
            "containers": [container],
            "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": node}}],
        },
    }


def _run(nodes: "list[str]") -> "list[str]":
    """Start a pod for each node; those whose pods are ready. Of the others it keeps why not."""
    apply(*map(_pod, nodes))
    pods = settled(
        lambda: {pod["metadata"]["name"]: waiting(pod) for pod in get("pods", "--namespace", NAMESPACE)["items"]},
        lambda pods: not any(pods.values()),
        START,
    )
    events = {}
    if any(pods.values()):
        for event in get("events", "--namespace", NAMESPACE)["items"]:
            if event["type"] == "Warning":
                events[event["involvedObject"]["name"]] = event["message"]
    for node, why in pods.items():
        if why:
            passed(f"volume {node}", False, f"{why}; {events.get(node, 'nothing was said of it')}")
    return [node for node, why in pods.items() if not why]


def _clear() -> None:
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", f"--timeout={CLEAR}s", must=False)


_clear()
try:
    nodes = list(asked["nodes"])
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, *map(_claim, nodes))
    nodes = _run(nodes)
    for node in nodes:
        inside(NAMESPACE, node, "write", FILE, f"{token} {node}")
    kubectl("--namespace", NAMESPACE, "delete", "pods", "--all", "--timeout=60s")
    for node in _run(nodes):
        read = inside(NAMESPACE, node, "read", FILE).get(FILE, "nothing")
        passed(f"volume {node}", read == f"{token} {node}", f"the next pod reads {read!r}")
finally:
    _clear()
finish()
