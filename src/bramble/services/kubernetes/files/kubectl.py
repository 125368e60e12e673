"""What the scripts on a manager share: they are put behind this, see ``scripts.py``."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

HOME = "/etc/kubernetes/bramble"
KUBECTL = ["/usr/local/bin/kubectl", "--cache-dir", f"{HOME}/cache", "--kubeconfig", "/etc/kubernetes/admin.conf"]

#: What did not work, and why; it is said at the end.
faults: "list[str]" = []


def kubectl(*words: str, given: str = "", must: bool = True, timeout: float = 200) -> str:
    """What kubectl says; it ends the script where it fails and must not."""
    done = subprocess.run([*KUBECTL, *words], input=given, capture_output=True, text=True, check=False, timeout=timeout)
    if done.returncode and must:
        sys.exit(done.stderr.strip() or f"kubectl {words[0]} ended with {done.returncode}")
    return done.stdout


def get(*words: str) -> Any:
    """An object of the cluster, or a list of them."""
    return json.loads(kubectl("get", *words, "--output", "json"))


def apply(*objects: "dict[str, Any]") -> None:
    """Bring objects into the cluster."""
    kubectl("apply", "--filename", "-", given="\n---\n".join(map(json.dumps, objects)))


def passed(line: str, good: bool, why: str = "") -> None:
    """Say a line that is expected, or keep why it does not come."""
    if good:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    else:
        faults.append(f"{line}: {why}")


def inside(namespace: str, pod: str, *words: str) -> "dict[str, str]":
    """What `prove` in a pod says of each word."""
    said = kubectl("--namespace", namespace, "exec", pod, "--", "/usr/local/bin/prove", *words, must=False)
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in said.splitlines()}


def unfit(node: "dict[str, Any]") -> str:
    """Why a node is not as it should be; empty where it is."""
    for one in node["status"]["conditions"]:
        if one["status"] != ("True" if one["type"] == "Ready" else "False"):
            return str(one.get("message") or one.get("reason") or one["type"])
    return ""


def settled(ask: "Callable[[], Any]", good: "Callable[[Any], bool]", seconds: float, pause: float = 1.0) -> Any:
    """What is asked, again until it is good or the seconds are over."""
    ends = time.monotonic() + seconds
    answer = ask()
    while not good(answer) and time.monotonic() < ends:
        time.sleep(pause)
        answer = ask()
    return answer


def waiting(pod: "dict[str, Any]") -> str:
    """Why a pod is not ready, as far as the cluster knows; empty where it is."""
    status = pod["status"]
    conditions = {one["type"]: one for one in status.get("conditions", [])}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        for state in (container["state"], container.get("lastState", {})):
            for kind in ("waiting", "terminated"):
                found = state.get(kind, {})
                if found and found.get("reason") != "Completed":
                    words = (found.get("reason"), found.get("message"), _ended(found))
                    return f"{container['name']}: " + ": ".join(word.strip() for word in words if word)
    for kind in ("PodScheduled", "Ready"):
        found = conditions.get(kind, {})
        if found.get("status") == "False":
            return ": ".join(word for word in (found.get("reason"), found.get("message")) if word)
    return str(status.get("reason") or status.get("phase"))


def _ended(state: "dict[str, Any]") -> str:
    return f"it ended with status {state['exitCode']}" if state.get("exitCode") else ""


def log(namespace: str, selector: str, node: str = "") -> "list[str]":
    """What the pods of a part of the system say last, and why they are not ready; on one node, or all."""
    words = ["--namespace", namespace, "--selector", selector]
    said = []
    for pod in get("pods", *words, *([f"--field-selector=spec.nodeName={node}"] if node else []))["items"]:
        name = f"{pod['metadata']['name']} on {pod['spec'].get('nodeName', 'no node')}"
        last = kubectl("logs", "--namespace", namespace, "--tail=3", pod["metadata"]["name"], must=False)
        said += [f"{name}: {line}" for line in filter(None, [waiting(pod), *last.splitlines()])]
    return said or [f"there is no pod of {selector}" + (f" on {node}" if node else "")]


def finish(*log: str) -> None:
    """Say what did not work, and what tells more of it, where the reader of the probe looks."""
    if faults:
        sys.stderr.write("\n".join([*faults, *log]) + "\n")
