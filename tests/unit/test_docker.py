"""The docker room's plan, as data; and what it refuses."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.board import PI

from bramble import services
from bramble.errors import PlanError, UsageError
from bramble.model import Cluster, Host
from bramble.plan import Plan
from bramble.runner.facts import Facts
from bramble.runner.steps import Probe
from bramble.services.docker import SERVICE

CLUSTER = Cluster(name="red", hosts=(Host(name="red"), Host(name="red01")), manager="red")
FACTS = {
    "red": dataclasses.replace(
        PI, hostname="red", address="10.1.1.10", release="13", codename="trixie", controllers=("memory",)
    ),
    "red01": dataclasses.replace(PI, hostname="red01", address="10.1.1.11"),
}
EVERYTHING = {
    "users": "pi,ada",
    "log_size": "1g",
    "log_files": "5",
    "registry_mirrors": "[https://mirror.example, 'http://red:5000/']",
    "data": "/mnt/ssd/docker",
    "address_pool": "10.201.0.0/16",
    "live_restore": "true",
}


def planned(options: dict[str, Any], **changes: Any) -> Plan:
    facts: dict[str, Facts] = {**FACTS, "red01": dataclasses.replace(FACTS["red01"], **changes)}
    return SERVICE.plan(CLUSTER, services.configure(SERVICE, options), facts)


@pytest.mark.parametrize(
    "options", [{}, EVERYTHING, {"log_size": "none"}], ids=["usual", "everything", "nothing-of-daemon-json"]
)
def test_plan_is_as_it_was(options: dict[str, object], snapshot: SnapshotAssertion) -> None:
    assert json.dumps(planned(options).to_json(), indent=1, ensure_ascii=False) == snapshot


@pytest.mark.parametrize(
    ("system", "release", "split"),
    [
        ("debian", "12", False),
        ("raspbian", "12", False),
        ("raspbian", "13", True),
        ("debian", "", True),
        ("ubuntu", "24.04", False),
    ],
)
def test_the_command_comes_with_the_daemon_whatever_package_it_is_in(system: str, release: str, split: bool) -> None:
    plan = planned({}, os=system, release=release)
    assert ("Package docker-cli" in plan.resources("red01")) is split


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"users": "root;"}, "'root;' is not the name of a user"),
        ({"users": "[pi"}, "not a list"),
        ({"log_size": "10"}, "not a size: give 500k, 10m, 1g, or none"),
        ({"log_files": "0"}, "greater than or equal to 1"),
        ({"registry_mirrors": "mirror.example"}, "give https://NAME"),
        ({"registry_mirrors": "https://me:secret@mirror.example"}, "a mirror takes no password"),
        ({"registry_mirrors": "https://mirror.example/docker"}, "Docker takes a mirror without a path"),
        ({"data": "mnt/ssd"}, "not the path of a folder"),
        ({"data": "/mnt/../etc"}, "not the path of a folder"),
        ({"address_pool": "10.201.0.0/24"}, "too small: at most /22"),
        ({"address_pool": "10.201.0.1/16"}, "not an IPv4 network"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError) as refused:
        services.configure(SERVICE, options)
    assert told in str(refused.value) and next(iter(options)) in str(refused.value)


def test_docker_of_docker_com_is_refused() -> None:
    with pytest.raises(PlanError) as refused:
        planned({}, packages={"docker-ce": "5:28.0.0"})
    assert "red01 (docker-ce)" in str(refused.value) and "apt-get remove docker-ce" in refused.value.hint


def test_a_pool_around_the_hosts_themselves_is_refused() -> None:
    with pytest.raises(PlanError, match=r"red01 \(10\.201\.3\.4\): address_pool"):
        planned({"address_pool": "10.201.0.0/16"}, address="10.201.3.4")


def test_what_membership_means_is_said_and_where_limits_do_not_hold() -> None:
    notes = planned({"users": "pi"}).notes
    assert any(note.startswith("pi: ") and "root" in note for note in notes)
    assert any(note.startswith("red01: ") and "no cmdline.txt" in note for note in notes)


def test_limits_are_proven_where_the_kernel_has_them() -> None:
    proof = SERVICE.verify(CLUSTER, services.configure(SERVICE, {}), FACTS)
    asked = {}
    for host in proof.hosts:
        probe = proof.of(host)[0].steps[host][-1]
        assert isinstance(probe, Probe) and probe.input is not None
        asked[host] = json.loads(probe.input)
    assert asked == {
        "red": {"address": "10.1.1.10", "limits": True},
        "red01": {"address": "10.1.1.11", "limits": False},
    }
