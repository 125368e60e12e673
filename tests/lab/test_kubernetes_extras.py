"""What a cluster has besides: labels, volumes, figures; what is proven in depth; and what is said when it is broken."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab
from bramble.services.kubernetes import programs

#: Seconds for the first deployment: on a new machine, the programs have to be built.
FIRST = 1800

MANAGER, WORKER, LAST = "green", "green01", "green02"

KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
PROVE = programs.image_name("prove", programs.VERSIONS[-1])

#: A volume, and a pod of which one part works and the other cannot.
BROKEN = f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: kept}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Mi}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: broken}}
spec:
  nodeSelector: {{stick: coral}}
  tolerations: [{{operator: Exists}}]
  terminationGracePeriodSeconds: 0
  containers:
    - {{name: good, image: "{PROVE}", args: [serve], volumeMounts: [{{name: kept, mountPath: /kept}}]}}
    - {{name: bad, image: "bramble.invalid/none:1", imagePullPolicy: Never}}
  volumes: [{{name: kept, persistentVolumeClaim: {{claimName: kept}}}}]
"""


@pytest.fixture
def green(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """Three hosts on which containers run."""
    yield make_lab("green", 3, "trixie", containers=True)
    labs.down("green")


def kubectl(lab: Lab, *words: str) -> str:
    return str(lab.execute(MANAGER, *KUBECTL, *words))


def nodes(lab: Lab) -> dict[str, dict[str, Any]]:
    return {node["metadata"]["name"]: node for node in json.loads(kubectl(lab, "get", "nodes", "-o", "json"))["items"]}


def until(good: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < ends, f"not so within {seconds:.0f} s"
        time.sleep(1)


@pytest.mark.timeout(FIRST + 1200)
def test_a_cluster_with_all_that_can_be_added(green: Lab, tmp_path: Path) -> None:
    controller = Controller.of(green, tmp_path / "controller")
    before = {host: green.snapshot(host) for host in green.hosts}
    plain = controller.cluster_file.read_text()
    controller.cluster_file.write_text(plain + 'labels: {"green[01-02]": {stick: coral}}\n')

    options = ("--set=storage=true", "--set=metrics=true", "--set=taints=stick:PreferNoSchedule")
    first = controller.json("deploy", "kubernetes", *options, timeout=FIRST)
    assert first.status == 0 and first.report["verified"] is True, first.said[-3000:]
    passed = {event["step"] for event in first.events if event.get("outcome") == "passed"}
    assert {"volumes outlive their pods", "what nodes use"} <= passed
    second = controller.json("deploy", "kubernetes", "--no-verify")
    assert second.report["changed"] == 0, second.said[-3000:]

    the_labels_go_with_the_file(green, controller)
    what_is_there_and_what_is_not_well_is_told(green, controller)
    a_lost_node_is_survived(green, controller)
    what_is_broken_is_named(green, controller)

    # Volumes are data: they stay with all that is in them, and go when that is said.
    removed = controller.json("remove", "kubernetes", "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    (volume,) = green.shell(WORKER, "ls -d /var/lib/bramble-volumes/*").split()
    assert green.shell(WORKER, f"cat {volume}/note") == "of value"
    green.shell(MANAGER, "rm -r /root/.kube /root/broken.yaml")
    for host in green.hosts:
        left = map(str, labs.diff_snapshots(before[host], green.snapshot(host)))
        # One of them was off meanwhile, so units that run once have another state there.
        assert [line for line in left if "bramble-volumes" not in line and not line.startswith("units: ")] == [], host
    assert "/var/lib/bramble-volumes" in removed.said


def the_labels_go_with_the_file(lab: Lab, controller: Controller) -> None:
    """What the file says is on the nodes, and is taken off again; what others set stays."""
    assert [node["metadata"]["labels"].get("stick") for node in nodes(lab).values()] == [None, "coral", "coral"]
    assert [one["key"] for one in nodes(lab)[LAST]["spec"]["taints"]] == ["stick"]
    kubectl(lab, "label", "node", LAST, "mine=yes")
    kubectl(lab, "taint", "node", LAST, "mine=yes:PreferNoSchedule")
    text = controller.cluster_file.read_text()
    assert "green[01-02]" in text.partition("labels:")[2]
    before, labels, after = text.partition("labels:")
    controller.cluster_file.write_text(before + labels + after.replace("green[01-02]", "green01", 1))
    changed = controller.json("deploy", "kubernetes", "--no-verify")
    assert changed.status == 0 and changed.report["changed"] == 1, changed.said[-3000:]
    now = nodes(lab)
    assert now[WORKER]["metadata"]["labels"]["stick"] == "coral"
    assert "stick" not in now[LAST]["metadata"]["labels"] and now[LAST]["metadata"]["labels"]["mine"] == "yes"
    assert [one["key"] for one in now[LAST]["spec"]["taints"]] == ["mine"]


def what_is_there_and_what_is_not_well_is_told(lab: Lab, controller: Controller) -> None:
    lab.shell(MANAGER, f"cat >/root/broken.yaml <<'E'\n{BROKEN}\nE")
    kubectl(lab, "apply", "-f", "/root/broken.yaml")
    until(lambda: "ErrImageNeverPull" in kubectl(lab, "get", "pod", "broken"), 90)
    kubectl(lab, "exec", "broken", "-c", "good", "--", "/usr/local/bin/prove", "write", "/kept/note", "of value")
    seen = controller.json("status", "kubernetes").report["data"]["seen"]
    assert [(row["node"], row["state"]) for row in seen["Nodes"]] == [(host, "ready") for host in lab.hosts]
    assert all(" of " in row["cpu"] and row["memory"].endswith(" MB") for row in seen["Nodes"])
    (pod,) = seen["Pods that are not ready"]
    assert (pod["pod"], pod["node"]) == ("default/broken", WORKER) and "bad: ErrImageNeverPull" in pod["why"]
    assert all(300 < int(row["left"].split()[0]) <= 365 for row in seen["Certificates that run out first"])
    text = controller.run("status", "kubernetes").stdout
    assert "default/broken" in text and "https://" in text
    # The volume stays, and so does what is in it.
    kubectl(lab, "delete", "pod", "broken")


def a_lost_node_is_survived(lab: Lab, controller: Controller) -> None:
    deep = controller.json("verify", "kubernetes", "--deep", timeout=600)
    assert deep.status == 0, deep.said[-3000:]
    passed = {event["step"] for event in deep.events if event.get("outcome") == "passed"}
    assert {"the node is lost", "a service lives on", "the node is back"} <= passed
    assert lab.shell(LAST, "systemctl is-active kubelet; systemctl list-timers --all").count("bramble-node") == 0
    assert "bramble-loss" not in kubectl(lab, "get", "namespaces")


def what_is_broken_is_named(lab: Lab, controller: Controller) -> None:
    """Node, cause, and the end of what tells it."""
    # Nobody resolves names.
    kubectl(lab, "--namespace", "kube-system", "scale", "deployment/coredns", "--replicas=0")
    dumb = controller.run("verify", "kubernetes", timeout=400)
    assert dumb.status == 3 and f"pods on {WORKER} cannot resolve names" in dumb.about(MANAGER)
    kubectl(lab, "--namespace", "kube-system", "scale", "deployment/coredns", "--replicas=2")
    # Nothing that pods say reaches one of the hosts.
    lab.shell(LAST, "nft add table inet wall; nft add chain inet wall in '{type filter hook input priority -5;}'")
    lab.shell(LAST, "nft add rule inet wall in udp dport 8472 drop")
    deaf = controller.run("verify", "kubernetes", timeout=400)
    assert deaf.status == 3 and f"pods on {WORKER} do not reach pods on {LAST}" in deaf.about(MANAGER)
    lab.shell(LAST, "nft delete table inet wall")
    # A host that is off.
    lab.kill(LAST)
    off = controller.run("verify", "kubernetes", timeout=400)
    assert off.status == 3 and off.about(LAST)
    lab.start(LAST)
    until(lambda: all(_ready(node) for node in nodes(lab).values()), 120)


def _ready(node: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])
