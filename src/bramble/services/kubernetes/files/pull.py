"""Give pods of these namespaces the logins on standard input ("set"), look whether they have them, or take all away.

What we made bears our label, so that it is found again; pull secrets of others at the same service account stay.
"""

import base64
import json
import sys
from typing import Any

from .kubectl import get, kubectl, settled

NAME = "bramble-pull"
OURS = {"app.kubernetes.io/managed-by": "bramble"}
KIND = "kubernetes.io/dockerconfigjson"

#: Pods that name no other belong to this account; Kubernetes makes one in each namespace.
ACCOUNT = "default"

#: How often an account is tried that others change at the same moment.
ATTEMPTS = 5


def _there() -> "dict[str, str]":
    """What of ours there is, by namespace."""
    label = ",".join(f"{key}={value}" for key, value in OURS.items())
    found = get("secrets", "--all-namespaces", "--selector", label, "--field-selector", f"metadata.name={NAME}")
    return {one["metadata"]["namespace"]: one.get("data", {}).get(".dockerconfigjson", "") for one in found["items"]}


def _maybe(namespace: str, *words: str) -> "dict[str, Any]":
    """An object that may not be there."""
    said = kubectl("--namespace", namespace, "get", *words, "--ignore-not-found", "--output", "json")
    return dict(json.loads(said or "{}"))


def _names(account: "dict[str, Any]") -> "list[str]":
    return [one["name"] for one in account.get("imagePullSecrets", [])]


def _attached(namespace: str) -> bool:
    return NAME in _names(_maybe(namespace, "serviceaccount", ACCOUNT))


def _attach(namespace: str, wanted: bool) -> None:
    """Attach ours to the account, or take it off. The list can only be written as a whole."""
    for _ in range(ATTEMPTS):
        account = _maybe(namespace, "serviceaccount", ACCOUNT)
        if not account or (NAME in _names(account)) == wanted:
            return
        names = [name for name in _names(account) if name != NAME] + ([NAME] if wanted else [])
        # Nobody else's change in between is lost: with another version of it, this is refused.
        metadata = {"resourceVersion": account["metadata"]["resourceVersion"]}
        patch = json.dumps({"metadata": metadata, "imagePullSecrets": [{"name": name} for name in names]})
        words = ("patch", "serviceaccount", ACCOUNT, "--type", "merge", "--patch", patch)
        kubectl("--namespace", namespace, *words, must=False)
    sys.exit(f"the service account {ACCOUNT} in the namespace {namespace} cannot be changed")


def _bring(namespace: str, wanted: str) -> None:
    if not _maybe(namespace, "namespace", namespace):
        kubectl("create", "namespace", namespace)
    now = _maybe(namespace, "secret", NAME)
    if now and any(now["metadata"].get("labels", {}).get(key) != value for key, value in OURS.items()):
        sys.exit(f"there is a secret {NAME} in the namespace {namespace} that is not bramble's; delete or rename it")
    metadata = {"name": NAME, "namespace": namespace, "labels": OURS}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": KIND}
    # By the server: otherwise kubectl notes all of it a second time, in an annotation.
    words = ("apply", "--server-side", "--force-conflicts", "--field-manager", "bramble", "--filename", "-")
    kubectl(*words, given=json.dumps({**secret, "data": {".dockerconfigjson": wanted}}))
    if not settled(lambda: _maybe(namespace, "serviceaccount", ACCOUNT), bool, 30):
        sys.exit(f"the namespace {namespace} has no service account {ACCOUNT}")
    _attach(namespace, True)


def _take(namespace: str) -> None:
    _attach(namespace, False)
    kubectl("--namespace", namespace, "delete", "secret", NAME, "--ignore-not-found")


verb, namespaces = sys.argv[1], sys.argv[2:]
wanted = base64.b64encode(sys.stdin.buffer.read()).decode()
if verb == "clear" and not kubectl("--request-timeout", "5s", "get", "--raw", "/readyz", must=False):
    sys.exit(0)  # where all goes, the cluster may be gone already, and these with it
there = _there()
if verb == "check":
    good = there == dict.fromkeys(namespaces, wanted) and all(map(_attached, namespaces))
    sys.exit(0 if good else 1)
for name in namespaces:
    _bring(name, wanted)
for name in sorted(set(there) - set(namespaces)):
    _take(name)
