"""Buttons are for who may, say what they would do to which hosts, and begin what they say."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from tests.unit.test_rest.conftest import Callers
from tests.unit.test_rest.web import with_a_past

from bramble import inventory
from bramble.rest.service import Service
from bramble.rest.web.actions import ACTIONS, OF_CLUSTER, OF_HOST

ORDER = ["device", "viewer", "operator", "admin"]

#: Action → the least role that may.
LEAST = {
    "status": "viewer", "check": "viewer", "temperature": "viewer", "load": "viewer", "throttled": "viewer",
    "trust": "admin", "blink": "operator", "unblink": "operator", "wake": "operator", "reboot": "operator",
    "poweroff": "operator", "backup": "operator", "restore": "operator", "images_load": "operator",
    "images_remove": "operator",
}  # fmt: skip

BACKUP = "/jobs/20260104-100000-0000000d"


def _at(action: str) -> str:
    return f"/clusters/red/do/{action}?service=kubernetes"


async def _begun(client: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    """What the job was asked with, that an answer leads to; it is ended, for there are no hosts."""
    assert answer.status_code == 303, answer.text
    job = (await client.post(f"/api/v1{answer.headers['location']}/cancel")).json()
    return {"verb": job["verb"], **job["arguments"]}


def test_every_action_is_in_the_table() -> None:
    assert {*ACTIONS} == {*LEAST}


@pytest.mark.parametrize("role", ORDER)
async def test_an_action_is_for_who_may(service: Service, callers: Callers, role: str) -> None:
    with_a_past(service)
    caller = callers(role)
    for action, least in LEAST.items():
        if ORDER.index(role) >= ORDER.index(least):
            answer = await caller.get(_at(action))
            assert (answer.status_code, ACTIONS[action].title in answer.text) == (200, True), action
        else:
            assert (await caller.get(_at(action))).status_code == 403, action
            given = {"hosts": "red", "service": "kubernetes", "file": "red-kubernetes.backup", "names": "app:1"}
            assert (await caller.post(_at(action), data=given)).status_code == 403, action
    assert (await callers("admin").get("/api/v1/jobs?state=queued")).json() == []


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
async def test_who_may_not_is_not_offered_it(service: Service, callers: Callers, role: str) -> None:
    with_a_past(service)
    for path, offered in {"/clusters/red": OF_CLUSTER, "/clusters/red/hosts/red01": OF_HOST}.items():
        text = (await callers(role).get(path)).text
        found = set(re.findall(r'(?:action|href)="/clusters/red/do/(\w+)', text)) - {"status"}
        assert found == {name for name in offered if ORDER.index(role) >= ORDER.index(LEAST[name])}, path
        assert ("/images" in text) == (path == "/clusters/red")


async def test_hosts_go_down_by_their_names_alone(service: Service, callers: Callers) -> None:
    with_a_past(service)
    operator = callers("operator")
    text = (await operator.get("/clusters/red/do/poweroff")).text
    assert "3 hosts" in text
    assert "Slurm is on red,red[01-02], and red manages it." in text
    assert 'name="hosts" value="red,red[01-02]"' in text
    text = (await operator.get("/clusters/red/do/poweroff?hosts=red02&deadline=60")).text
    assert "Switch off red02</button>" in text
    assert "Slurm is on red02." in text
    assert 'name="deadline" value="60"' in text
    # A form that names nobody, such as one of another page, does nothing: it is asked first.
    answer = await operator.post("/clusters/red/do/poweroff", data={})
    assert answer.headers["location"] == "/clusters/red/do/poweroff"
    assert (await operator.get("/api/v1/jobs?verb=poweroff")).json() == []
    answer = await operator.post("/clusters/red/do/poweroff", data={"hosts": "red02", "deadline": "120"})
    # What is usual is not said.
    assert await _begun(operator, answer) == {"verb": "poweroff", "cluster": "red", "hosts": "red02"}


async def test_a_pi_is_found_by_its_light(service: Service, callers: Callers) -> None:
    with_a_past(service)
    operator = callers("operator")
    answer = await operator.post("/clusters/red/do/blink", data={"hosts": "red02"})
    asked = {"verb": "led", "cluster": "red", "hosts": "red02", "state": "blink", "seconds": 60.0}
    assert await _begun(operator, answer) == asked


async def test_a_mistake_is_told_beside_the_form(service: Service, callers: Callers) -> None:
    with_a_past(service)
    answer = await callers("operator").post("/clusters/red/do/reboot", data={"hosts": "red02", "deadline": "soon"})
    assert answer.status_code == 422
    assert "valid number" in answer.text
    assert 'name="deadline" value="soon"' in answer.text
    assert (await callers("operator").get("/clusters/red/do/reboot?hosts=blue")).status_code == 422
    assert (await callers("operator").get("/clusters/red/do/burn")).status_code == 404


def _with_an_image() -> None:
    image = {"sha256": "a" * 64, "size": 7_300_000, "manifest": f"sha256:{'b' * 64}", "image": f"sha256:{'c' * 64}"}
    images = {name: {"arm64": image} for name in ("app:1", "app:2")}
    inventory.save_service(inventory.resolve(cluster="red"), "images", {"images": images})


async def test_images_are_listed_and_taken_away_by_who_may(service: Service, callers: Callers) -> None:
    with_a_past(service)
    assert "None yet" in (await callers("viewer").get("/images")).text
    _with_an_image()
    for role in ("viewer", "operator"):
        text = (await callers(role).get("/images")).text
        assert "app:1" in text
        assert "7.3 MB" in text
        assert ("/do/images_remove" in text) == ("/do/images_load" in text) == (role == "operator")


async def test_what_can_be_shown_first_is(service: Service, callers: Callers) -> None:
    with_a_past(service)
    _with_an_image()
    operator = callers("operator")
    given = {"names": "app:1"}
    answer = await operator.post("/clusters/red/do/images_remove", data=given)
    job = (await operator.get(f"/api/v1{answer.headers['location']}")).json()
    assert job["arguments"] == {"cluster": "red", "names": ["app:1"], "dry_run": True}
    answer = await operator.post("/clusters/red/do/images_remove", data={**given, "apply": "yes"})
    assert "dry_run" not in await _begun(operator, answer)


async def test_a_backup_is_downloaded_by_who_may(service: Service, callers: Callers) -> None:
    with_a_past(service)
    link = 'href="/api/v1/files/red-kubernetes.backup"'
    for role in ("viewer", "operator", "admin"):
        text = (await callers(role).get(BACKUP)).text
        assert "2.4 MB" in text
        assert (link in text) == (role == "admin")
        assert ("An admin may download it" in text) == (role != "admin")
    for role in ("operator", "admin"):
        assert (link in (await callers(role).get("/files")).text) == (role == "admin")
    found = (await callers("operator").get("/clusters/red/do/restore?service=kubernetes")).text
    assert '<option value="red-kubernetes.backup" selected>' in found
    assert "Restore at once" in found


async def test_only_a_service_with_a_backup_offers_one(service: Service, callers: Callers) -> None:
    with_a_past(service)
    operator = callers("operator")
    assert "/do/restore?service=kubernetes" in (await operator.get("/clusters/red/services/kubernetes")).text
    assert "/do/restore" not in (await operator.get("/clusters/red/services/slurm")).text


@pytest.mark.parametrize(
    ("page", "path", "more"),
    [
        ("/clusters/red/services/slurm", "/clusters/red/services/slurm/verify", {}),
        ("/clusters/red/services/slurm", "/clusters/red/services/slurm/deploy", {"option.max_time": "3:00:00"}),
        ("/clusters/red/do/poweroff?hosts=red02", "/clusters/red/do/poweroff", {"hosts": "red02"}),
    ],
)
async def test_a_sudo_password_goes_along_and_is_never_shown(
    service: Service, callers: Callers, page: str, path: str, more: dict[str, str]
) -> None:
    with_a_past(service)
    operator = callers("operator")
    assert 'name="sudo_password" type="password"' in (await operator.get(page)).text
    assert "sudo_password" not in (await callers("viewer").get(page)).text
    answer = await operator.post(path, data={"sudo_password": " hush ", **more})
    shown = await operator.get(answer.headers["location"])
    begun = (await operator.post(f"/api/v1{answer.headers['location']}/cancel")).json()
    assert begun["secrets"] == ["sudo_password"]
    assert "hush" not in answer.headers["location"] + shown.text + json.dumps(begun)


async def test_a_sudo_password_is_not_shown_beside_what_cannot_be(service: Service, callers: Callers) -> None:
    with_a_past(service)
    given = {"sudo_password": "hush", "hosts": "red02", "deadline": "soon"}
    for path, more in (
        ("/clusters/red/do/poweroff", {}),
        ("/clusters/red/services/slurm/deploy", {"option.max_time": "soon"}),
    ):
        answer = await callers("operator").post(path, data={**given, **more})
        assert (answer.status_code, "hush" in answer.text) == (422, False), path
