"""Prove that there are figures of what each node and its pods use. A line for each node."""

import json
import sys

from .kubectl import finish, kubectl, passed, settled

#: Seconds until a node that has just come has figures: it is looked at every 15 s, and two looks make a figure.
PATIENCE = 60

asked = json.load(sys.stdin)


def _figures() -> "dict[str, dict[str, str]]":
    said = kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes", must=False)
    found = json.loads(said)["items"] if said else []
    return {node["metadata"]["name"]: node["usage"] for node in found}


figures = settled(_figures, lambda found: set(asked["nodes"]) <= set(found), PATIENCE, 2)
for node in asked["nodes"]:
    usage = figures.get(node, {})
    passed(f"figures {node}", bool(usage.get("cpu") and usage.get("memory")), "the metrics server has none")
finish()
