"""What a Kubernetes cluster has on top: there where it is wanted, and nowhere else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.unit.test_kubernetes import CLUSTER, FACTS

from bramble import services
from bramble.plan import Plan
from bramble.runner.steps import Command, Directory, File, Image, Probe
from bramble.services.kubernetes import SERVICE


def planned(**options: object) -> Plan:
    return SERVICE.plan(CLUSTER, services.configure(SERVICE, options), FACTS)


def steps(plan: Plan, host: str, kind: Any) -> list[Any]:
    return [step for part in plan.of(host) for step in part.steps[host] if isinstance(step, kind)]


def names(plan: Plan, host: str) -> set[str]:
    return {step.program for step in steps(plan, host, Image)}


@pytest.mark.parametrize(
    ("option", "programs"),
    [
        ({"storage": "true"}, {"local-path-provisioner", "volume"}),
        ({"metrics": "true"}, {"metrics-server"}),
        ({"dashboard": "headlamp"}, set()),
    ],
    ids=["storage", "metrics", "dashboard"],
)
def test_programs_come_only_where_they_are_wanted(option: dict[str, object], programs: set[str]) -> None:
    plain, more = planned(), planned(**option)
    for host in ("red", "red01"):
        assert names(more, host) - names(plain, host) == programs
    built = {one.name.rpartition("/")[2] for one in more.artifacts} - {
        one.name.rpartition("/")[2] for one in plain.artifacts
    }
    assert built == programs
    brought = {step.name for step in steps(more, "red", Command)} - {step.name for step in steps(plain, "red", Command)}
    assert brought == {f"bring in {'headlamp' if 'dashboard' in option else next(iter(option))}"}
    assert all(not step.name.startswith("bring in") for step in steps(plain, "red", Command))


def test_volumes_are_data_on_every_host() -> None:
    for host in CLUSTER.hostset:
        (folder,) = (one for one in steps(planned(storage=True), host, Directory) if "volumes" in one.path)
        assert folder.data and folder.mode == 0o711


def test_each_kubelet_is_believed_by_its_name_and_address() -> None:
    (certificate,) = (one.content for one in steps(planned(), "red01", File) if one.path.endswith("kubelet.crt"))
    assert certificate.names == ("red01", "10.1.1.2") and certificate.form == "tls-certificate"


def test_the_dashboard_is_asked_for_by_its_digest() -> None:
    (manifest,) = (one for one in steps(planned(dashboard="headlamp"), "red", File) if "headlamp" in one.path)
    images = re.findall(r"image: (\S+)", str(manifest.content))
    assert len(images) == 1 and re.fullmatch(r"ghcr\.io/headlamp-k8s/headlamp:v[\d.]+@sha256:[0-9a-f]{64}", images[0])


def test_what_is_there_is_proven() -> None:
    def proven(**options: object) -> set[str]:
        plan = SERVICE.verify(CLUSTER, services.configure(SERVICE, options), FACTS)
        return {step.name for step in steps(plan, "red", Probe)}

    assert proven(storage=True) - proven() == {"volumes outlive their pods"}
    assert proven(metrics=True) - proven() == {"what nodes use"}


def test_the_last_worker_is_lost_and_comes_back_by_itself_in_any_case() -> None:
    assert SERVICE.deep is not None
    plan = SERVICE.deep(CLUSTER, services.configure(SERVICE, {}), FACTS)
    assert [part.title for part in plan.of("red02")] == ["Loss", "Return"]
    (lost, back) = steps(plan, "red02", Probe)
    assert "systemd-run" in lost.argv[2] and lost.argv[-1] == "300" and back.expect_lines == ("back",)
    # It comes back also where the service did not survive.
    assert next(part for part in plan.groups if part.title == "Return").requires == ()
    alone = SERVICE.deep(CLUSTER.only(["red"]), services.configure(SERVICE, {}), FACTS)
    assert [part.title for part in alone.groups] == ["Ports"] and "red is alone" in alone.notes[0]
