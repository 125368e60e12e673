"""Services that others need: what comes before them, and when it goes."""

from __future__ import annotations

from bramble.api.needs import dependents, wanted_besides, wanted_by, with_needs
from bramble.model import Cluster, Deployment, Host


def cluster(*services: str) -> Cluster:
    return Cluster(
        name="red", hosts=(Host(name="red"),), manager="red", services={name: Deployment() for name in services}
    )


def test_what_is_needed_comes_first() -> None:
    assert [room.name for room in with_needs("kubernetes")] == ["containerd", "kubernetes"]
    assert [room.name for room in with_needs("slurm")] == ["slurm"]


def test_packages_are_asked_about_once() -> None:
    slurm = with_needs("slurm")
    assert wanted_by((*slurm, *slurm)).packages == slurm[0].packages != ()


def test_what_was_deployed_for_itself_stays() -> None:
    assert wanted_besides(cluster("kubernetes", "containerd"), "containerd", ["kubernetes"]).names == ("red",)


def test_what_nothing_else_wants_goes() -> None:
    assert not wanted_besides(cluster("kubernetes", "slurm"), "containerd", ["kubernetes"])


def test_who_needs_a_service_is_known() -> None:
    assert dependents(cluster("kubernetes", "containerd", "slurm"), "containerd") == ["kubernetes"]
    assert dependents(cluster("containerd"), "containerd") == []
