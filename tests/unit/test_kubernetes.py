"""The Kubernetes room's plan, as data, and whom it refuses."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.board import PI

from bramble import services
from bramble.artifact import Download, GoProgram
from bramble.errors import PlanError, UsageError
from bramble.model import Cluster, Host
from bramble.services.kubernetes import SERVICE, programs, released
from bramble.services.kubernetes.configuration import HOME

NAMES = ("red", "red01", "red02")
CLUSTER = Cluster(name="red", hosts=tuple(Host(name=name) for name in NAMES), manager="red")
ABLE = dataclasses.replace(PI, controllers=("cpuset", "cpu", "io", "memory", "pids"))
FACTS = {
    name: dataclasses.replace(ABLE, hostname=name, address=f"10.1.1.{number}") for number, name in enumerate(NAMES, 1)
}


def facts(host: str, **changes: Any) -> dict[str, Any]:
    return {**FACTS, host: dataclasses.replace(FACTS[host], **changes)}


@pytest.mark.parametrize("options", [{}, {"manager_works": "false", "network": "host-gw"}], ids=["usual", "large"])
def test_plan_is_as_it_was(options: dict[str, object], snapshot: SnapshotAssertion) -> None:
    config = services.configure(SERVICE, options)
    made = {
        "plan": SERVICE.plan(CLUSTER, config, FACTS).to_json(),
        "verify": SERVICE.verify(CLUSTER, config, FACTS).to_json(),
        "leave": SERVICE.leave(CLUSTER, config, FACTS, ("red02",)).to_json() if SERVICE.leave else None,
    }
    assert json.dumps(made, indent=1, ensure_ascii=False) == snapshot


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (facts("red01", architecture="armhf"), ("red01 (armhf)", "64-bit")),
        (facts("red02", controllers=("cpu",)), ("red02", "no cmdline.txt", "cgroup_enable=memory")),
        (facts("red", memory=10**9), ("red (1000 of 1700 MB)", "--manager")),
        (facts("red01", memory=5 * 10**8), ("red01 (500 of 700 MB)",)),
        (facts("red01", skew=-4000.0), ("red01 (-4000 s)", "clock")),
        (facts("red01", address=""), ("red01", "route")),
        (facts("red01", address="10.244.3.1"), ("red01 (10.244.3.1)", "pod_network")),
        (facts("red01", address="10.96.0.9"), ("red01 (10.96.0.9)", "service_network")),
        (facts("red01", skew=150.0), ("red01 (+150 s)", "clock")),
        (facts("red02", disk_free=10**9), ("red02 (1000 of 1500 MB)", "df -h")),
        (facts("red02", networks={"10.244.8.0/22": "wlan0"}), ("red02 (10.244.8.0/22, wlan0)", "10.200.0.0/16")),
        (facts("red02", networks={"10.0.0.0/8": "eth0"}), ("red02 (10.0.0.0/8, eth0)", "172.28.0.0/16")),
        (facts("red01", ports={"10250": "web (pid 8, web.service)"}), ("red01:", "10250", "--now web.service")),
        (facts("red", ports={"6443": "nc (pid 9)", "2379": "x (pid 7)"}), ("red:", "6443", "nc (pid 9)", "2379: x")),
        (facts("red", paths=("/etc/kubernetes/admin.conf",)), ("red (/etc/kubernetes/admin.conf)", "kubeadm reset")),
        (facts("red02", paths=("/var/lib/rancher/k3s",)), ("red02", "did not make", "k3s-uninstall.sh")),
        (facts("red02", paths=("/lib/systemd/system/kubelet.service",)), ("red02", "apt-get remove kubelet")),
        (
            facts("red", paths=(HOME,), ports={"6443": "kube-apiserver (pid 5)", "10257": "nc (pid 9)"}),
            ("red:", "10257", "nc (pid 9)"),
        ),
    ],
)
def test_what_cannot_work_is_refused_by_name(changed: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(PlanError) as refused:
        SERVICE.plan(CLUSTER, services.configure(SERVICE, {}), changed)
    text = f"{refused.value.what} {refused.value.hint}"
    assert all(word in text for word in words), text


def test_a_worker_with_too_little_memory_is_left_out_and_a_manager_is_another() -> None:
    small = {name: dataclasses.replace(known, memory=5 * 10**8) for name, known in FACTS.items()}
    for known, hint in (
        (facts("red02", memory=5 * 10**8), "--hosts red,red01"),
        ({**small, "red01": FACTS["red01"]}, "--manager red01"),
        (small, "2 GB"),
    ):
        with pytest.raises(PlanError) as refused:
            SERVICE.plan(CLUSTER, services.configure(SERVICE, {}), known)
        assert hint in refused.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        # Programs of its own: a node, one that was cut half-way, and ports that only a control plane needs.
        {"paths": (HOME, f"{HOME}/join.done", "/etc/kubernetes/kubelet.conf"), "ports": {"10250": "kubelet (pid 3)"}},
        {"paths": (HOME, f"{HOME}/join.done"), "networks": {"10.244.2.0/24": "cni0", "10.1.1.0/24": "eth0"}},
        {"paths": (HOME, "/etc/kubernetes/kubelet.conf"), "ports": {"10250": "kubelet (pid 3)"}},
        {"ports": {"6443": "web (pid 3)", "7443": "web (pid 3)"}},
        {"paths": (f"{HOME}/join.done",), "disk_free": 10**9},
    ],
)
def test_what_is_its_own_is_not_refused(changes: dict[str, Any]) -> None:
    assert SERVICE.plan(CLUSTER, services.configure(SERVICE, {}), facts("red01", **changes)).groups


def test_the_way_to_three_needs_a_port_on_every_host() -> None:
    config, taken = services.configure(SERVICE, {"control_plane": 3}), facts("red02", ports={"7443": "web (pid 3)"})
    with pytest.raises(PlanError, match=r"red02: .*7443, which is taken by web \(pid 3\)"):
        SERVICE.plan(CLUSTER, config, taken)


def test_hosts_that_would_be_one_node_are_refused() -> None:
    cluster = Cluster(name="red", hosts=(Host(name="red-A"), Host(name="red-a")), manager="red-A")
    with pytest.raises(PlanError, match="red-A, red-a"):
        SERVICE.plan(cluster, services.configure(SERVICE, {}), {"red-A": FACTS["red"], "red-a": FACTS["red01"]})


@pytest.mark.parametrize(
    "options",
    [
        {"pod_network": "10.244.0.0/24"},
        {"pod_network": "10.244.0.1/16"},
        {"pod_network": "10.96.0.0/16"},
        {"network": "calico"},
    ],
    ids=["too-small", "no-network", "overlap", "unknown"],
)
def test_options_that_contradict_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        services.configure(SERVICE, options)


def test_swap_is_told() -> None:
    assert SERVICE.plan(CLUSTER, services.configure(SERVICE, {}), facts("red01", swap=10**9)).notes == (
        "red01: pods do not use the swap there",
    )


def test_every_image_and_program_is_an_artifact_of_the_plan() -> None:
    plan = SERVICE.plan(CLUSTER, services.configure(SERVICE, {}), facts("red02", architecture="amd64"))
    asked = {
        step.artifact
        for part in plan.groups
        for steps in part.steps.values()
        for step in steps
        if hasattr(step, "artifact")
    }
    assert asked <= {one.id for one in plan.artifacts}
    assert {one.architecture for one in plan.artifacts} == {"arm64", "amd64"}


@pytest.mark.parametrize("version", programs.VERSIONS)
@pytest.mark.parametrize("architecture", ["arm64", "amd64"])
def test_released_programs_are_told_by_upstreams_hashes(version: str, architecture: str) -> None:
    config = services.configure(SERVICE, {"version": version, "programs": "released"})
    sources = {one.name.partition("/")[2]: one.source for one in SERVICE.artifacts(config, [architecture])}
    fetched = {name: source for name, source in sources.items() if isinstance(source, Download)}
    assert set(sources) - set(fetched) == {"flanneld", "pause", "prove", "conflist"}
    for name in ("kubeadm", "kubelet", "kubectl", "kube-apiserver", "kube-proxy"):
        assert fetched[name].urls == (f"https://dl.k8s.io/v{version}/kubernetes-server-linux-{architecture}.tar.gz",)
        assert fetched[name].digest.startswith("sha512:") and fetched[name].member == f"kubernetes/server/bin/{name}"
    assert {fetched[name].sums.rpartition("/")[2] for name in ("etcd", "etcdctl", "etcdutl")} == {"SHA256SUMS"}
    assert fetched["coredns"].sums == f"{fetched['coredns'].urls[0]}.sha256"


def test_hashes_of_releases_are_all_different() -> None:
    assert len(set(released.KUBERNETES.values())) == len(released.KUBERNETES)
    assert {version for version, _ in released.KUBERNETES} == set(programs.VERSIONS)


@pytest.mark.parametrize("version", programs.VERSIONS)
def test_modules_pin_the_versions_that_are_told(version: str) -> None:
    for artifact in programs.artifacts(["arm64"], version):
        assert isinstance(artifact.source, GoProgram)
        pinned = dict(
            re.findall(r"^(?:require)?\s+(\S+) v(\S+)(?: // indirect)?$", dict(artifact.source.files)["go.mod"], re.M)
        )
        modules = [
            name for name in pinned if artifact.source.package.startswith(f"{name}/") or artifact.source.package == name
        ]
        own = artifact.source.package.startswith("bramble.invalid/")
        assert own or [pinned[name] for name in modules] == [artifact.version], artifact.title
