"""A viewer sees clusters by the way that is written down, and sends nobody anywhere else."""

from __future__ import annotations

import pytest
from tests.unit.test_rest.conftest import Callers

from bramble import inventory

LOAD = "/api/v1/clusters/red/load"


@pytest.fixture(autouse=True)
def cluster() -> None:
    """A cluster whose hosts no name leads to: what is asked of them fails at once."""
    file = inventory.folders.cluster_file("red")
    file.parent.mkdir(parents=True)
    file.write_text("hosts: red,red[01-02]\nport: 9\naddresses: {red: 127.0.0.1, red01: 127.0.0.1, red02: 127.0.0.1}\n")


async def test_a_viewer_looks_at_hosts_of_a_cluster(callers: Callers) -> None:
    for asked in ({}, {"hosts": "red01"}, {"connect_timeout": 1.0}):
        answer = await callers("viewer").post(LOAD, json=asked)
        assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    "asked",
    [
        {"user": "root"},
        {"port": 2222},
        {"jump": "eve@elsewhere.example"},
        {"accept_new": True},
        {"accept_new": False},
        {"sudo_password": "secret"},
        {"manager": "red01"},
        {"hosts": "elsewhere.example"},
        {"hosts": "red,elsewhere.example"},
        {"hosts": "root@red01"},
        {"hosts": "red01:2222"},
        {"hosts": "root@red[01-02]"},
    ],
    ids=str,
)
async def test_a_viewer_goes_no_other_way(callers: Callers, asked: dict[str, object]) -> None:
    answer = await callers("viewer").post(LOAD, json=asked)
    assert answer.status_code == 403, answer.text
    assert "this needs the role operator" in answer.json()["title"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("name", ["blue", "red,red", "..", "elsewhere.example"])
async def test_a_viewer_makes_no_cluster_of_other_hosts(callers: Callers, name: str) -> None:
    answer = await callers("viewer").post(f"/api/v1/clusters/{name}/load", json={"hosts": "blue"})
    assert answer.status_code in (404, 405)


async def test_a_viewer_does_not_do_again_what_an_operator_did(callers: Callers) -> None:
    done = await callers("operator").put(
        "/api/v1/clusters/red/services/slurm", json={"dry_run": True, "connect_timeout": 1.0}
    )
    assert done.status_code == 202
    other = await callers("operator").post(LOAD, json={"user": "root", "connect_timeout": 1.0})
    for job in (done, other):
        answer = await callers("viewer").post(f"{job.headers['location']}/again", json={})
        assert answer.status_code == 403, answer.text
