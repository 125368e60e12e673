"""The Java room's plan, and what it refuses."""

from __future__ import annotations

import dataclasses
import re

import pytest
from tests.unit.board import PI

from bramble import services
from bramble.errors import PlanError
from bramble.model import Cluster, Host
from bramble.runner.steps import Link, Package, Probe
from bramble.services.java import SERVICE

CLUSTER = Cluster(name="red", hosts=(Host(name="red"), Host(name="red01")), manager="red")
OPTIONS = services.configure(SERVICE, {})


@pytest.mark.parametrize(("codename", "version"), [("bookworm", 17), ("trixie", 21)])
def test_each_release_has_its_own_and_all_the_same_path(codename: str, version: int) -> None:
    facts = {name: dataclasses.replace(PI, codename=codename) for name in CLUSTER.hostset}
    (part,) = SERVICE.plan(CLUSTER, OPTIONS, facts).groups
    for host in CLUSTER.hostset:
        assert Package(names=(f"openjdk-{version}-jre-headless",)) in part.steps[host]
        target = f"/usr/lib/jvm/java-{version}-openjdk-arm64"
        assert Link(path="/usr/local/lib/bramble/java", target=target) in part.steps[host]


def test_a_release_without_is_refused_by_the_host_s_name() -> None:
    facts = {"red": PI, "red01": dataclasses.replace(PI, codename="buster", release="10")}
    with pytest.raises(PlanError, match="no Java 17 or later") as caught:
        SERVICE.plan(CLUSTER, OPTIONS, facts)
    assert caught.value.host == "red01" and "debian 10 buster" in caught.value.what


def test_each_host_must_answer_with_17_or_later() -> None:
    proof = SERVICE.verify(CLUSTER, OPTIONS, dict.fromkeys(CLUSTER.hostset, PI))
    assert sorted(proof.hosts) == ["red", "red01"]
    (probe,) = proof.groups[0].steps["red"]
    assert isinstance(probe, Probe) and probe.expect_match
    for said, enough in {
        "openjdk 17.0.13 2024-10-15": True,
        "openjdk 21 2023-09-19": True,
        "openjdk 25.0.1 2025-10-21 LTS": True,
        "openjdk 11.0.25 2024-10-15": False,
        "openjdk 1.8.0_432": False,
    }.items():
        assert bool(re.search(probe.expect_match, said)) == enough, said
