"""The one suite that every service room passes, on real hosts of each release: from a dry run to the last trace gone.

A new room is found by itself; nothing is to be added here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble import services
from bramble.lab.testing import Lab

RELEASES = ("bookworm", "trixie")

#: The rooms of bramble itself, and one that comes as another distribution's would. Those that begin with something of
#: the user's own have tests of their own.
ROOMS = (*(name for name in services.names() if not services.get(name).begins), "beacon")


@pytest.fixture(scope="module", params=RELEASES)
def hosts(request: pytest.FixtureRequest, make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """Three hosts of a release on which every service can be tried, for as long as its turn takes."""
    yield make_lab("blue", 3, request.param, containers=True)
    labs.down("blue")


@pytest.fixture
def pis(hosts: Lab) -> Lab:
    """Three freshly written hosts: a manager and two others."""
    hosts.reset()
    return hosts


def brought(lab: Lab, host: str, service: str, kind: str) -> list[str]:
    """What a service brought to a host by steps of a kind, in their order: names of units, paths of links."""
    lines = map(json.loads, lab.execute(host, "cat", "/var/lib/bramble/journal.jsonl").splitlines())
    entries = [line["entry"] for line in lines if line["op"] == "entry"]
    mine = [entry for entry in entries if entry["service"] == service and entry["step"]["type"] == kind]
    return [entry["resource"].partition(" ")[2] for entry in sorted(mine, key=lambda entry: int(entry["number"]))]


def damage(lab: Lab, host: str, service: str) -> None:
    """Take away what a service works by: its last daemon or, where it has none, the last path it is found by."""
    units = brought(lab, host, service, "Unit")
    command = ("systemctl", "stop", units[-1]) if units else ("rm", brought(lab, host, service, "Link")[-1])
    lab.execute(host, *command)


#: Seconds for a first deployment: on a new machine, the programs of a service may have to be built.
FIRST = 1800


@pytest.mark.timeout(FIRST + 900)
@pytest.mark.parametrize("service", ROOMS)
def test_a_service_from_its_plan_to_its_last_trace(service: str, pis: Lab, tmp_path: Path) -> None:
    controller = Controller.of(pis, tmp_path / "controller")
    manager, worker, last = pis.hosts
    before = {host: pis.snapshot(host) for host in pis.hosts}

    def as_found(*hosts: str) -> None:
        left = {host: labs.diff_snapshots(before[host], pis.snapshot(host)) for host in hosts}
        assert left == {host: [] for host in hosts}

    # A dry run says what would change, and changes nothing.
    dry = controller.json("deploy", service, "--dry-run").report
    assert dry["changed"] > 0
    as_found(*pis.hosts)

    # The first run changes and proves what it did, the second does not change anything.
    first = controller.json("deploy", service, timeout=FIRST)
    assert first.status == 0, first.said[-3000:]
    assert first.report["verified"] is True
    second = controller.json("deploy", service, "--no-verify")
    assert second.status == 0, second.said[-3000:]
    assert [event for event in second.events if event.get("outcome") in ("changed", "undone")] == []

    # Broken, it says so and names the host; deployed again, it is mended.
    damage(pis, worker, service)
    broken = controller.run("verify", service, timeout=300)
    assert broken.status == 3, broken.said[-3000:]
    assert worker in broken.stdout.partition("failed:")[2], broken.said[-3000:]
    status = controller.json("status").report["data"]["services"]
    states = {state["host"]: state["state"] for state in status if state["service"] == service}
    assert states[worker] == "differs"
    mended = controller.json("deploy", service, timeout=300)
    assert mended.status == 0 and mended.report["verified"] is True, mended.said[-3000:]

    # A host goes, and is as it was found; it comes back, and works.
    dropped = controller.json("scale", service, "--drop", last, "--yes", "--no-verify", timeout=300)
    assert dropped.status == 0, dropped.said[-3000:]
    as_found(last)
    assert controller.json("verify", service, timeout=300).outcomes() == {manager: "done", worker: "done"}
    added = controller.json("scale", service, "--add", last, timeout=300)
    assert added.status == 0 and added.report["verified"] is True, added.said[-3000:]
    assert added.outcomes() == dict.fromkeys(pis.hosts, "done")

    # Removed, nothing of it is left anywhere. With its data: each room but those that keep some has none to keep, and
    # does not mind being asked; that data stays otherwise is shown by their own tests.
    removed = controller.json("remove", service, "--purge", "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    as_found(*pis.hosts)
    assert not list((controller.folder / "data").rglob("secrets/*/*/*")), "its secrets are still on the controller"
    assert service not in controller.cluster_file.read_text()
