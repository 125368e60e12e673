"""Run pods on all nodes, and let each look at the others. Prints a line for everything that works."""

import json
import subprocess
import sys
import time
import urllib.request
from typing import Any

NAMESPACE, PORT = "bramble-proof", 8080
HOME = "/etc/kubernetes/bramble"
KUBECTL = ["/usr/local/bin/kubectl", "--cache-dir", f"{HOME}/cache", "--kubeconfig", "/etc/kubernetes/admin.conf"]
#: Seconds that pods may take to start, a change of services to reach all nodes, and all of the namespace to go.
START, SETTLE, CLEAR = 120, 20, 60

asked = json.load(sys.stdin)
nodes, version, image = asked["nodes"], asked["version"], asked["image"]
faults: "list[str]" = []


def _kubectl(*words: str, given: str = "", must: bool = True) -> str:
    done = subprocess.run([*KUBECTL, *words], input=given, capture_output=True, text=True, check=False)
    if done.returncode and must:
        sys.exit(done.stderr.strip() or f"kubectl {words[0]} ended with {done.returncode}")
    return done.stdout


def _get(*words: str) -> Any:
    return json.loads(_kubectl("get", *words, "--output", "json"))


def _passed(line: str, good: bool, why: str = "") -> None:
    if good:
        sys.stdout.write(line + "\n")
    else:
        faults.append(f"{line}: {why}")


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


def _clear() -> None:
    _kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", f"--timeout={CLEAR}s", must=False)


def _ready(node: "dict[str, Any]") -> bool:
    state = {one["type"]: one["status"] for one in node["status"]["conditions"]}
    return state.get("Ready") == "True" and node["status"]["nodeInfo"]["kubeletVersion"] == version


def _inside(pod: str, *words: str) -> "dict[str, str]":
    """What `prove` in a pod says of each word."""
    said = _kubectl("--namespace", NAMESPACE, "exec", pod, "--", "/usr/local/bin/prove", *words, must=False)
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in said.splitlines()}


def _from_outside(url: str) -> str:
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return str(opener.open(url, timeout=5).read().decode())
    except OSError as error:
        return f"error: {getattr(error, 'reason', error)}"


def _settled(ask: Any, good: Any) -> Any:
    """What is asked, again until it is good or time is over: the nodes learn of a service one after the other."""
    ends = time.monotonic() + SETTLE
    answer = ask()
    while not good(answer) and time.monotonic() < ends:
        time.sleep(1)
        answer = ask()
    return answer


def _look(pods: "dict[str, dict[str, Any]]") -> None:
    service = _get("service", "prove", "--namespace", NAMESPACE)["spec"]
    addresses = {node: pod["status"].get("podIP", "") for node, pod in pods.items()}
    cluster_ip, outside = f"http://{service['clusterIP']}:{PORT}", service["ports"][0]["nodePort"]
    name = f"prove.{NAMESPACE}.svc.cluster.local"
    for node, pod in pods.items():
        own = pod["metadata"]["name"]
        urls = [f"http://{address}:{PORT}" for address in addresses.values()]
        said = _settled(
            lambda: _inside(own, "get", *urls, cluster_ip),  # noqa: B023
            lambda said: all(said.get(url, "error").partition(":")[0] != "error" for url in [*urls, cluster_ip]),  # noqa: B023
        )
        for (other, _), url in zip(addresses.items(), urls):  # noqa: B905 - Python 3.9
            _passed(f"reach {node} {other}", said.get(url) == other, said.get(url, "no answer"))
        _passed(f"service {node}", said.get(cluster_ip, "") in pods, said.get(cluster_ip, "no answer"))
        found = _settled(
            lambda: _inside(own, "lookup", name),  # noqa: B023
            lambda found: found.get(name) == service["clusterIP"],
        )
        _passed(f"dns {node}", found.get(name) == service["clusterIP"], found.get(name, "no answer"))
        came = _settled(
            lambda: _from_outside(f"http://{nodes[node]}:{outside}"),  # noqa: B023
            lambda came: came in pods,
        )
        _passed(f"port {node}", came in pods, came)
        logs = _kubectl("--namespace", NAMESPACE, "logs", own, must=False)
        _passed(f"logs {node}", f"serving on {node}" in logs, logs.strip() or "none")


_passed("api ready", _kubectl("get", "--raw", "/readyz", must=False).strip() == "ok")
for node in _get("nodes")["items"]:
    _passed(f"node {node['metadata']['name']} ready", _ready(node), node["status"]["nodeInfo"]["kubeletVersion"])
_clear()
try:
    _kubectl("apply", "--filename", "-", given="\n---\n".join(map(json.dumps, _wanted())))
    _kubectl("--namespace", NAMESPACE, "rollout", "status", "daemonset/prove", f"--timeout={START}s", must=False)
    found = _get("pods", "--namespace", NAMESPACE)["items"]
    pods = {pod["spec"].get("nodeName", ""): pod for pod in found}
    running = {}
    for node, pod in pods.items():
        states = pod["status"].get("containerStatuses", [{}])
        good = bool(states[0].get("ready"))
        _passed(f"pod {node} runs", good, json.dumps(states[0].get("state", pod["status"]["phase"])))
        if good:
            running[node] = pod
    _look(running)
finally:
    _clear()
if faults:
    sys.stderr.write("\n".join(faults))
