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


def test_each_host_is_asked_for_a_container_of_its_own() -> None:
    proof = SERVICE.verify(CLUSTER, services.configure(SERVICE, {}), FACTS)
    assert sorted(proof.hosts) == ["red", "red01"]
