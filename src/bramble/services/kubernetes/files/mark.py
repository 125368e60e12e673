"""Give nodes the labels and taints they should have ("set"), look whether they have them, or take all of ours off.

At each node stands what was set here, so that it can be taken off again; what others set is not touched.
"""

import json
import subprocess
import sys
from typing import Any

from .kubectl import KUBECTL

NOTE = "bramble.invalid/marks"

#: How often a node is tried that others change at the same moment.
ATTEMPTS = 5


def _nodes() -> "dict[str, dict[str, Any]]":
    done = subprocess.run([*KUBECTL, "get", "nodes", "--output", "json"], capture_output=True, text=True, check=False)
    if done.returncode:
        # Where all goes, the cluster may be gone already, and these with it.
        sys.exit(0 if verb == "clear" else done.stderr.strip() or "kubectl get nodes failed")
    return {node["metadata"]["name"]: node for node in json.loads(done.stdout)["items"]}


def _change(node: "dict[str, Any]", wanted: "dict[str, Any]") -> "dict[str, Any]":
    """What brings a node to what is wanted, as a merge patch; empty if nothing does."""
    metadata, now = node["metadata"], node["spec"].get("taints", [])
    note = metadata.get("annotations", {}).get(NOTE)
    before = json.loads(note) if note else {"labels": {}, "taints": []}
    labels = {
        **{
            name: None
            for name, value in before["labels"].items()
            if name not in wanted["labels"] and metadata["labels"].get(name) == value
        },
        **{name: value for name, value in wanted["labels"].items() if metadata["labels"].get(name) != value},
    }
    ours = {_place(taint) for taint in wanted["taints"]}
    theirs = [taint for taint in now if _place(taint) not in ours and _plain(taint) not in before["taints"]]
    have = [_plain(taint) for taint in now]
    kept = [taint for taint in now if _plain(taint) in wanted["taints"]]
    taints = theirs + kept + [taint for taint in wanted["taints"] if taint not in have]
    patch: dict[str, Any] = {"metadata": {}}
    if labels:
        patch["metadata"]["labels"] = labels
    if sorted(map(_place, taints)) != sorted(map(_place, now)) or len(kept) != len(ours):
        patch["spec"] = {"taints": taints}
    anew = json.dumps(wanted, sort_keys=True) if wanted["labels"] or wanted["taints"] else None
    if anew != note:
        patch["metadata"]["annotations"] = {NOTE: anew}
    if patch == {"metadata": {}}:
        return {}
    # Nobody else's change in between is lost.
    patch["metadata"]["resourceVersion"] = metadata["resourceVersion"]
    return patch


def _place(taint: "dict[str, Any]") -> "tuple[str, str]":
    return taint["key"], taint["effect"]


def _plain(taint: "dict[str, Any]") -> "dict[str, str]":
    return {"key": taint["key"], "value": taint.get("value", ""), "effect": taint["effect"]}


def _patch(name: str, patch: "dict[str, Any]") -> str:
    """Why it was not done; empty if it was."""
    words = [*KUBECTL, "patch", "node", name, "--type", "merge", "--patch", json.dumps(patch)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


verb = sys.argv[1]
asked = {} if verb == "clear" else json.load(sys.stdin)
why = ""
for _ in range(ATTEMPTS):
    nodes = _nodes()
    missing = sorted(set(asked) - set(nodes))
    if missing:
        sys.exit("the cluster knows no node " + ", ".join(missing))
    if verb == "clear":
        asked = {name: {"labels": {}, "taints": []} for name in nodes}
    changes = {name: _change(nodes[name], wanted) for name, wanted in asked.items()}
    todo = {name: change for name, change in changes.items() if change}
    if verb == "check":
        sys.exit(1 if todo else 0)
    failed = {name: why for name, change in todo.items() for why in [_patch(name, change)] if why}
    if not failed:
        sys.exit(0)
    why = "; ".join(f"{name}: {said}" for name, said in failed.items())
sys.exit(why)
