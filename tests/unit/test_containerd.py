"""The containerd room's plan, as data."""

from __future__ import annotations

import dataclasses
import json

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.board import PI

from bramble import services
from bramble.model import Cluster, Host
from bramble.services.containerd import SERVICE

CLUSTER = Cluster(name="red", hosts=(Host(name="red"), Host(name="red01")), manager="red")
FACTS = {host.name: dataclasses.replace(PI, hostname=host.name) for host in CLUSTER.hosts}


@pytest.mark.parametrize("options", [{}, {"systemd_groups": "false"}], ids=["usual", "groups-by-runc"])
def test_plan_is_as_it_was(options: dict[str, object], snapshot: SnapshotAssertion) -> None:
    plan = SERVICE.plan(CLUSTER, services.configure(SERVICE, options), FACTS)
    assert json.dumps(plan.to_json(), indent=1, ensure_ascii=False) == snapshot


def test_a_host_whose_kernel_does_not_limit_memory_is_put_right_and_stays_so() -> None:
    def kernel(*controllers: str) -> tuple[list[str], tuple[str, ...]]:
        pi = dataclasses.replace(FACTS["red01"], paths=("/boot/firmware/cmdline.txt",), controllers=controllers)
        plan = SERVICE.plan(CLUSTER, services.configure(SERVICE, {}), {**FACTS, "red01": pi})
        return [step.title for step in plan.of("red01")[0].steps["red01"]], plan.notes

    argument = "KernelArgument cgroup_enable=memory"
    steps, notes = kernel("cpu")
    assert steps == [argument, "Reboot", "Wait for the kernel to limit memory"]
    assert notes == ("red01: restarts first, so that the kernel limits memory",)
    # Once it does, the argument is still wanted: else it would be taken out again.
    assert kernel("cpu", "memory") == ([argument], ())


def test_each_host_is_asked_for_a_container_of_its_own() -> None:
    proof = SERVICE.verify(CLUSTER, services.configure(SERVICE, {}), FACTS)
    assert sorted(proof.hosts) == ["red", "red01"]
