"""Tell of the cluster: title → rows, as JSON. What is well is told in few words, what is not with its cause."""

import json
import socket
import ssl
import subprocess
import sys
import time
from calendar import timegm
from typing import Any

from .kubectl import get, kubectl, unfit, waiting

MINUTE, HOUR, DAY = 60, 3600, 86400
#: Seconds before its end in which a certificate is told of in any case.
SOON = 30 * DAY

asked = json.load(sys.stdin)


def _seconds(moment: str) -> int:
    return timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))


def _age(moment: str) -> str:
    seconds = int(time.time()) - _seconds(moment)
    for size, unit in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def _amount(text: str) -> float:
    """``1500m``, ``12345678n``, ``1024Ki`` as a number."""
    units = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
    for unit in sorted(units, key=len, reverse=True):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * units[unit]
    return float(text)


def _usage() -> "dict[str, dict[str, Any]]":
    said = kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes", must=False) if asked["metrics"] else ""
    return {one["metadata"]["name"]: one["usage"] for one in json.loads(said)["items"]} if said else {}


def _nodes() -> "list[dict[str, str]]":
    used, rows = _usage(), []
    found = {node["metadata"]["name"]: node for node in get("nodes")["items"]}
    for name, node in found.items():
        why = unfit(node)
        troubles = [f"not well: {why}" if why else "ready"]
        if node["spec"].get("unschedulable"):
            troubles.append("takes no pods")
        row = {
            "node": name,
            "state": ", ".join(troubles),
            "version": node["status"]["nodeInfo"]["kubeletVersion"],
            "since": _age(node["metadata"]["creationTimestamp"]),
        }
        if asked["metrics"]:
            row.update(cpu="no figures", memory="")
        if name in used:
            cpu, memory = (_amount(used[name][kind]) for kind in ("cpu", "memory"))
            whole = node["status"]["capacity"]
            row["cpu"] = f"{cpu:.2f} of {whole['cpu']}"
            row["memory"] = f"{memory / 2**20:.0f} of {_amount(whole['memory']) / 2**20:.0f} MB"
        rows.append(row)
    rows += [{"node": node, "state": "not in the cluster"} for node in asked["nodes"] if node not in found]
    return rows


def _pods() -> "list[dict[str, str]]":
    rows, every = [], get("pods", "--all-namespaces")["items"]
    for pod in every:
        why = "" if pod["status"].get("phase") == "Succeeded" else waiting(pod)
        if why:
            states = pod["status"].get("containerStatuses", [])
            rows.append(
                {
                    "pod": f"{pod['metadata']['namespace']}/{pod['metadata']['name']}",
                    "node": pod["spec"].get("nodeName", ""),
                    "restarts": str(sum(state["restartCount"] for state in states)),
                    "why": why,
                }
            )
    return rows or [{"pod": f"none of {len(every)}"}]


def _certificates() -> "list[dict[str, str]]":
    """The first that runs out, and all that do so soon; of the authorities, which last for years, none is first."""
    words = ["/usr/local/bin/kubeadm", "certs", "check-expiration", "--output", "json"]
    said = json.loads(subprocess.run(words, capture_output=True, text=True, check=False, timeout=30).stdout or "{}")
    ends = {one["name"]: _seconds(one["expirationDate"]) for one in said.get("certificates", [])}
    for node, address in asked["nodes"].items():
        ends[f"kubelet of {node}"] = _kubelets(address)
    known = sorted((end, name) for name, end in ends.items() if end)
    soon = [(end, name) for end, name in known if end < time.time() + SOON]
    return [
        {
            "certificate": name,
            "until": time.strftime("%Y-%m-%d", time.gmtime(end)),
            "left": f"{int((end - time.time()) // DAY)} days",
        }
        for end, name in soon or known[:1]
    ]


def _kubelets(address: str) -> int:
    """When the certificate of the kubelet there runs out; 0 where it cannot be asked, or is not believed."""
    try:
        trusting = ssl.create_default_context(cafile="/etc/kubernetes/pki/ca.crt")
        plain = socket.create_connection((address, 10250), timeout=3)
        with plain, trusting.wrap_socket(plain, server_hostname=address) as kubelet:
            found = kubelet.getpeercert() or {}
        return int(ssl.cert_time_to_seconds(str(found["notAfter"])))
    except (OSError, KeyError):
        return 0


def _access() -> "list[dict[str, str]]":
    """Where everything is, and the commands that go there."""
    named = f" --context {asked['context']}" if asked["context"] else ""
    rows = [("API server", asked["server"])]
    if named:
        rows.append(("your kubectl", f"kubectl{named} get nodes"))
    if asked["dashboard"] == "headlamp":
        rows += [
            ("dashboard", f"kubectl{named} --namespace headlamp port-forward service/headlamp 8080:80"),
            ("", "http://localhost:8080"),
            ("its token", f"kubectl{named} --namespace headlamp create token viewer --duration 8h"),
        ]
    return [{"what": what, "where": where} for what, where in rows]


json.dump(
    {
        "Nodes": _nodes(),
        "Pods that are not ready": _pods(),
        "Certificates that run out first": _certificates(),
        "Access": _access(),
    },
    sys.stdout,
)
