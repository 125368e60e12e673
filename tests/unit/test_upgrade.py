"""Upgrades: who may go from where to where, and what else may happen meanwhile. No host is contacted here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.test_kubernetes import CLUSTER, FACTS

from bramble import api, inventory, services
from bramble.errors import PlanError, UsageError
from bramble.services.kubernetes import SERVICE, programs

FIRST, LAST = programs.VERSIONS[0], programs.VERSIONS[-1]


@pytest.fixture
def clusters(home: Path) -> Path:
    folder = home / ".config" / "bramble" / "clusters"
    folder.mkdir(parents=True)
    return folder


def recorded(clusters: Path, entry: str) -> Path:
    file = clusters / "red.yaml"
    file.write_text(f'hosts: "red,red[01-02]"\nservices:\n{entry}')
    return file


def refused(**options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        api.run(api.upgrade(options.pop("service", "kubernetes"), cluster="red", **options))
    return caught.value


def test_what_is_not_there_is_not_upgraded(clusters: Path) -> None:
    recorded(clusters, "  slurm: {}\n")
    assert "bramble deploy kubernetes" in refused().hint


def test_a_service_of_the_distribution_has_no_versions_here(clusters: Path) -> None:
    recorded(clusters, "  slurm: {}\n")
    error = refused(service="slurm")
    assert "distribution" in error.what and "apt" in error.hint


@pytest.mark.parametrize(("to", "words"), [("1.2.3", LAST), (FIRST, "no way back")])
def test_versions_that_cannot_be_gone_to_are_refused(clusters: Path, to: str, words: str) -> None:
    recorded(clusters, f"  kubernetes: {{version: {LAST}}}\n")
    assert words in refused(to=to).hint


def test_nothing_else_is_done_while_an_upgrade_is_not_finished(clusters: Path) -> None:
    file = recorded(clusters, f"  kubernetes:\n    version: {FIRST}  # as at school\n")
    before = file.read_text()
    inventory.begin_upgrade(inventory.load("red"), "kubernetes", LAST)
    for verb in (api.deploy("kubernetes", cluster="red"), api.scale("kubernetes", drop="red02", cluster="red")):
        with pytest.raises(UsageError, match="begun and not finished") as caught:
            api.run(verb)
        assert f"bramble upgrade kubernetes --to {LAST}" in caught.value.hint
    inventory.end_upgrade(inventory.load("red"), "kubernetes", LAST)
    assert file.read_text() == before.replace(FIRST, f'"{LAST}"')


def test_a_deployment_does_not_upgrade_by_the_way(clusters: Path) -> None:
    recorded(clusters, f"  kubernetes: {{version: {FIRST}}}\n")
    with pytest.raises(UsageError, match=f"version {FIRST}") as caught:
        api.run(api.deploy("kubernetes", options={"version": LAST}, cluster="red"))
    assert f"bramble upgrade kubernetes --to {LAST}" in caught.value.hint


def test_plan_is_as_it_was(snapshot: SnapshotAssertion) -> None:
    assert SERVICE.upgrade
    plan = SERVICE.upgrade(CLUSTER, services.configure(SERVICE, {"version": LAST}), FACTS, FIRST)
    assert json.dumps(plan.to_json(), indent=1, ensure_ascii=False) == snapshot


def test_no_minor_version_is_left_out() -> None:
    assert SERVICE.upgrade
    with pytest.raises(PlanError, match="leaves one out"):
        SERVICE.upgrade(CLUSTER, services.configure(SERVICE, {"version": LAST}), FACTS, "1.33.1")
