"""Services that follow others: where they go with them, what their plans are, and what stays for others."""

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.board import PI

from bramble import inventory, services
from bramble.api.follow import followers, plans, plans_without
from bramble.model import Cluster, HostSet

NAMES = ("red", "red01", "red02", "red03")
FACTS = {
    name: dataclasses.replace(
        PI, hostname=name, address=f"10.1.1.{number}", controllers=("cpuset", "cpu", "io", "memory", "pids")
    )
    for number, name in enumerate(NAMES, 1)
}
IMAGE = f"{{arm64: {{sha256: {'a' * 64}, size: 1, manifest: 'sha256:{'1' * 64}', image: 'sha256:{'2' * 64}'}}}}"


def known(images: str, **others: str) -> Cluster:
    """A cluster file in which these services are on these hosts."""
    lines = ["hosts: red,red[01-03]", "services:"]
    lines += [f"  {name}:\n    hosts: '{hosts}'" for name, hosts in others.items()]
    lines += [f"  images:\n    hosts: '{images}'\n    images: {{'app:1': {IMAGE}}}"]
    folder = inventory.folders.clusters()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "red.yaml").write_text("\n".join(lines) + "\n")
    return inventory.load("red")


@pytest.mark.parametrize(
    ("images", "others", "joining", "leaving", "after"),
    [
        ("red,red01", {"kubernetes": "red,red01"}, "red02", "", "red,red[01-02]"),
        ("red", {"kubernetes": "red,red01"}, "red02", "", "red"),
        ("red,red01", {"kubernetes": "red,red01"}, "", "red01", "red"),
        ("red,red01", {"kubernetes": "red,red01", "docker": "red01"}, "", "red01", "red,red01"),
        ("red,red[01-02]", {}, "red03", "", "red,red[01-02]"),
        ("red01", {"kubernetes": "red,red01"}, "", "red01", ""),
    ],
    ids=["joins", "not-on-all", "leaves", "another-is-there", "first-of-its-kind", "leaves-altogether"],
)
def test_where_it_goes(images: str, others: dict[str, str], joining: str, leaving: str, after: str) -> None:
    cluster = known(images, **others)
    (one,) = followers(cluster, "kubernetes", HostSet.parse(joining), HostSet.parse(leaving))
    assert str(one.after.hostset) == after
    one.record()
    again = inventory.load("red")
    assert str(again.members_of("images") if "images" in again.services else "") == after


def test_what_follows_comes_after_what_it_needs_and_whom_it_follows() -> None:
    cluster = known("red,red01", kubernetes="red,red01")
    room = services.get("kubernetes")
    its = inventory.of_service(cluster, "kubernetes", given=False)
    after = its.with_hosts([cluster.host("red02")])
    following = followers(cluster, "kubernetes", HostSet(["red02"]))
    made = plans(room, after, services.configure(room, {}), FACTS, cluster, following)
    assert [plan.service for plan in made] == ["containerd", "kubernetes", "images"]
    assert all(sorted(plan.hosts) == ["red", "red01", "red02"] for plan in made)


def test_what_it_needs_is_there_for_both() -> None:
    """Docker comes to one host; the images' containerd is not taken for unwanted on the other."""
    cluster = known("red,red01")
    room = services.get("containerd")
    its = cluster.only(["red"])
    made = plans(room, its, services.configure(room, {}), FACTS, cluster, followers(cluster, "containerd"))
    assert {plan.service: set(plan.hosts) for plan in made}["images"] == {"red", "red01"}


def test_a_service_that_leaves_is_no_longer_there_for_its_followers() -> None:
    cluster = known("red,red01", docker="red,red01")
    leaving = cluster.only(["red01"])
    (plan,) = plans_without("docker", leaving, FACTS, followers(leaving, "docker"))
    assert plan.resources("red01") == {"Image docker.io/library/app:1 in containerd"}


def test_nothing_follows_what_nothing_follows() -> None:
    assert followers(known("red", kubernetes="red"), "slurm") == ()
