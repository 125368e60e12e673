"""Kubernetes for those who live with it: their own kubectl, cuts in the middle, upgrades, backups, a lost host."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab.controller import Controller
from tests.lab.faults.nemesis import Nemesis

from bramble import lab as labs
from bramble.api.kept import kept
from bramble.lab.testing import Lab
from bramble.services import LIBRARY
from bramble.services.kubernetes import programs

#: Seconds: programs of two versions may have to be built first.
FIRST = 1800

#: A person's kubeconfig, with ways of writing that no program has.
OWN = """# keep
apiVersion: v1
kind: Config
clusters:
  - name: work
    cluster: {server: 'https://10.1.1.9:6443'}
users: [ {name: me, user: {token: x}} ]
contexts:
  - name: work   # by day
    context: {cluster: work, user: me}
current-context: "work"
"""

#: Two pods, of which none may ever be away.
STUBBORN = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {{name: web, image: "{programs.image_name("prove", programs.VERSIONS[0])}", args: [serve]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: never}}
spec: {{maxUnavailable: 0, selector: {{matchLabels: {{app: web}}}}}}
"""


@pytest.fixture(scope="module")
def hosts(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """Three hosts on which containers run."""
    yield make_lab("kube", 3, "trixie", containers=True)
    labs.down("kube")


@pytest.fixture
def pis(hosts: Lab) -> Lab:
    """The same, freshly written."""
    labs.up(None, "kube")
    hosts.reset()
    return hosts


class Laptop(Controller):
    """A controller with a kubectl of its own."""

    def kubectl(self, *words: str, given: str = "") -> str:
        """What kubectl says, with no options but those of somebody who only just deployed a cluster."""
        found = [
            one for one in kept().all().values() if (one.name, one.architecture) == ("kubernetes/kubectl", "amd64")
        ]
        program = kept().path(found[-1].sha256)
        env = {**os.environ, "KUBECONFIG": self.env["KUBECONFIG"]}
        own = self.folder / "kubectl"
        if not own.exists():
            own.write_bytes(program.read_bytes())
            own.chmod(0o755)
        done = subprocess.run([own, *words], input=given, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def nodes(self) -> dict[str, Any]:
        """Nodes by name."""
        found = json.loads(self.kubectl("get", "nodes", "--output", "json"))["items"]
        return {node["metadata"]["name"]: node for node in found}


def as_found(pis: Lab, before: dict[str, labs.Snapshot]) -> None:
    for host in pis.hosts:
        left = map(str, labs.diff_snapshots(before[host], pis.snapshot(host)))
        # Some of them were off meanwhile, so units that run once have another state there.
        different = [line for line in left if not line.startswith("units: ")]
        assert different == [], (host, different)


@pytest.mark.timeout(2 * FIRST + 1200)
def test_a_cluster_that_is_cut_upgraded_and_half_gone(pis: Lab, tmp_path: Path) -> None:
    old, new = programs.VERSIONS[-2:]
    laptop = Laptop.of(pis, tmp_path / "controller")
    before = {host: pis.snapshot(host) for host in pis.hosts}
    manager, worker, last = pis.hosts
    config = Path(laptop.env["KUBECONFIG"])
    config.parent.mkdir()
    config.write_text(OWN)

    # A worker dies while it joins: it is named, and the others stand.
    run = laptop.start("deploy", "kubernetes", "--set", f"version={old}", "--set", "leave_deadline=60")
    run.until("step-started", host=worker, step="joins the cluster")
    pis.kill(worker)
    done = run.finish(timeout=FIRST)
    assert done.status == 1 and done.outcomes() == {manager: "done", worker: "failed", last: "done"}, done.said[-3000:]
    assert set(laptop.nodes()) >= {manager, last}

    # It is back, and the controller dies while it joins again. What is begun is begun anew, and works.
    pis.start(worker)
    run = laptop.start("deploy", "kubernetes")
    run.until("step-started", host=worker, step="joins the cluster")
    run.kill()
    run.finish()
    assert Nemesis(pis).wait_until_quiet(120) == ""
    done = laptop.json("deploy", "kubernetes", timeout=400)
    assert done.status == 0 and done.report["verified"] is True, done.said[-3000:]
    assert {node["status"]["nodeInfo"]["kubeletVersion"] for node in laptop.nodes().values()} == {f"v{old}"}
    assert laptop.kubectl("config", "current-context").strip() == laptop.cluster

    # Upgraded while pods forbid it: nothing is lost, the node works on, and what is begun must be finished.
    laptop.kubectl("apply", "-f", "-", given=STUBBORN)
    laptop.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    blocked = laptop.run("upgrade", "kubernetes", "--yes", timeout=FIRST)
    assert blocked.status == 1, blocked.said[-3000:]
    assert "did not move away" in blocked.about(manager), blocked.said[-3000:]
    assert not any(node["spec"].get("unschedulable") for node in laptop.nodes().values())
    refused = laptop.run("scale", "kubernetes", "--drop", last, "--yes")
    assert refused.status == 2 and "begun and not finished" in refused.said

    # Allowed, it goes through, and the pods are still there.
    laptop.kubectl("delete", "poddisruptionbudget", "never")
    done = laptop.json("upgrade", "kubernetes", "--yes", timeout=900)
    assert done.status == 0 and done.report["verified"] is True, done.said[-4000:]
    assert {node["status"]["nodeInfo"]["kubeletVersion"] for node in laptop.nodes().values()} == {f"v{new}"}
    assert new in laptop.kubectl("version") and new in laptop.cluster_file.read_text()
    laptop.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert all(pis.execute(host, "ls", LIBRARY).split() == [f"kubernetes-{new}"] for host in pis.hosts)
    again = laptop.json("upgrade", "kubernetes", "--yes", timeout=300)
    assert again.status == 0 and again.report["changed"] == 0, again.said[-3000:]

    # What the cluster knows outlives it: from a file alone it comes back, on hosts that have nothing of it any more.
    file = tmp_path / "kept.backup"
    kept = laptop.json("backup", "kubernetes", "--to", str(file))
    assert kept.status == 0 and file.stat().st_mode & 0o777 == 0o600, kept.said[-3000:]
    assert laptop.run("remove", "kubernetes", "--yes", timeout=300).status == 0
    other = laptop.json("restore", "kubernetes", str(file), "--yes", timeout=600)
    assert other.status == 0 and other.report["verified"] is True, other.said[-4000:]
    laptop.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert not file.with_name(".kept.backup.part").exists() and "etcd" not in pis.shell(
        manager, "ls /var/lib/bramble/restore 2>/dev/null || true"
    )

    # Removed while a host is gone: it is named; back again, it is left as it was found, too.
    pis.kill(last)
    removed = laptop.json("remove", "kubernetes", "--yes", timeout=300)
    assert removed.status == 1 and removed.outcomes()[last] == "failed", removed.said[-3000:]
    assert config.read_text() == OWN and [file.name for file in config.parent.iterdir()] == [config.name]
    pis.start(last)
    removed = laptop.run("remove", "kubernetes", "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    as_found(pis, before)


@pytest.mark.timeout(FIRST + 900)
def test_a_control_plane_of_three_loses_one(pis: Lab, tmp_path: Path) -> None:
    laptop = Laptop.of(pis, tmp_path / "controller")
    before = {host: pis.snapshot(host) for host in pis.hosts}
    manager, second, last = pis.hosts
    done = laptop.json("deploy", "kubernetes", "--set", "control_plane=3", timeout=FIRST)
    assert done.status == 0 and done.report["verified"] is True, done.said[-3000:]
    again = laptop.json("deploy", "kubernetes", timeout=300)
    assert again.report["changed"] == 0, again.said[-3000:]
    laptop.kubectl("create", "configmap", "kept", "--from-literal=when=before")
    kept = laptop.json("backup", "kubernetes")
    assert kept.status == 0, kept.said[-3000:]

    pis.kill(second)
    assert set(laptop.nodes()) == {manager, second, last}
    laptop.kubectl("create", "configmap", "written", "--from-literal=while=away")
    missed = laptop.run("verify", "kubernetes", timeout=300)
    assert missed.status in (1, 3) and missed.about(second), missed.said[-3000:]

    # The way of each host to the API leads to those that live, also on the one that comes back.
    pis.start(second)
    # What the others say of it may be from before.
    ends = time.monotonic() + 240
    while (found := laptop.json("verify", "kubernetes", timeout=300)).status != 0 and time.monotonic() < ends:
        time.sleep(2)
    assert found.status == 0, found.said[-3000:]
    fixed = laptop.run("deploy", "kubernetes", "--set", "control_plane=1")
    assert fixed.status == 2 and "cannot be changed" in fixed.said

    # All three members go back to what was kept, and the cluster does its work.
    laptop.kubectl("delete", "configmap", "kept")
    restored = laptop.json("restore", "kubernetes", kept.report["data"]["file"], "--yes", timeout=600)
    assert restored.status == 0 and restored.report["verified"] is True, restored.said[-3000:]
    names = laptop.kubectl("get", "configmaps", "--output", "name")
    assert "configmap/kept" in names and "configmap/written" not in names
    again = laptop.json("deploy", "kubernetes", "--no-verify", timeout=300)
    assert again.report["changed"] == 0, again.said[-3000:]

    removed = laptop.run("remove", "kubernetes", "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    as_found(pis, before)
