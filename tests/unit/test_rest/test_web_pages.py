"""Pages show what the API answers, to whom it answers; whatever comes from elsewhere is text in them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from tests.unit.test_rest.conftest import Callers
from tests.unit.test_rest.web import HOSTILE, with_a_past

from bramble import api, inventory
from bramble.rest.service import Service
from bramble.rest.web import changes, health

PAGES = [
    "/", "/clusters/red", "/clusters/red/hosts/red02", "/clusters/red/services/slurm",
    "/clusters/red/services/kubernetes", "/clusters/red/services/base", "/jobs", "/jobs/20260102-100000-0000000b",
    "/jobs/20260103-100000-0000000c", "/runs", "/runs/20260101-100000-aaaa", "/runs/20260102-100000-bbbb",
    "/clusters/red/do/poweroff?hosts=red02",
    f"/clusters/red/do/reboot?hosts=red&deadline={quote(HOSTILE)}", "/clusters/red/do/restore?service=kubernetes",
    "/files", "/images", "/clusters/red/do/images_load", "/jobs/20260104-100000-0000000d",
]  # fmt: skip


@pytest.mark.parametrize("role", ["viewer", "admin"])
async def test_a_page_shows_hostile_text_as_text(service: Service, callers: Callers, role: str) -> None:
    with_a_past(service)
    caller = callers(role)
    for path in PAGES:
        answer = await caller.get(path)
        if role == "viewer" and path.startswith(("/files", "/clusters/red/do")):
            assert answer.status_code == 403
            continue
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/html")
        assert "<img src=x" not in answer.text
        assert "<script>" not in answer.text
        assert not re.search(r"(href|src|action)=\"?\s*javascript:", answer.text)
        if path.startswith(("/runs/20260102", "/jobs/")):
            assert "&lt;script&gt;alert(1)" in answer.text


async def test_a_page_leads_who_is_not_known_to_the_login_and_back(callers: Callers) -> None:
    answer = await callers("").get("/clusters/red?a=b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fclusters%2Fred%3Fa%3Db")


async def test_a_form_of_who_is_not_known_changes_nothing(callers: Callers) -> None:
    answer = await callers("").post("/clusters", data={"cluster": "red", "hosts": "red"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert inventory.names() == ()


async def test_a_form_of_who_may_only_look_changes_nothing(callers: Callers) -> None:
    answer = await callers("viewer").post("/clusters", data={"cluster": "red", "hosts": "red"})
    assert answer.status_code == 403
    assert "this needs the role operator" in answer.text
    assert inventory.names() == ()


async def test_a_cluster_is_made_by_a_form(callers: Callers) -> None:
    operator = callers("operator")
    assert "There is no cluster yet" in (await operator.get("/")).text
    answer = await operator.post("/clusters", data={"cluster": "red", "hosts": "red,red[01-02]"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/clusters/red")
    assert "red02" in (await operator.get("/clusters/red")).text


async def test_what_is_not_there_has_a_page_that_says_so(service: Service, callers: Callers) -> None:
    with_a_past(service)
    viewer = callers("viewer")
    for path, what in {
        "/nowhere": "there is no such page",
        "/clusters/blue": "there is no cluster",
        "/clusters/red/hosts/blue": "there is no host",
        "/clusters/red/services/blue": "there is no service",
        "/jobs/blue": "there is no job",
        "/runs/blue": "no single run",
    }.items():
        answer = await viewer.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert what in answer.text


async def test_what_the_api_has_not_is_no_page(callers: Callers) -> None:
    answer = await callers("viewer").get("/api/v1/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_what_would_change_is_told_once_for_equal_hosts(service: Service, callers: Callers) -> None:
    with_a_past(service)
    text = (await callers("operator").get("/jobs/20260103-100000-0000000c")).text
    assert "red,red[01-02]" in text
    assert text.count("File /etc/slurm/slurm.conf") == 1
    assert '<span class="less">-MaxTime=60</span>' in text
    assert "Apply</button>" in text


async def test_who_may_only_look_is_offered_nothing_to_apply(service: Service, callers: Callers) -> None:
    with_a_past(service)
    viewer = callers("viewer")
    assert "Apply</button>" not in (await viewer.get("/jobs/20260103-100000-0000000c")).text
    assert (await viewer.post("/jobs/20260103-100000-0000000c/apply")).status_code == 403


async def test_health_is_what_the_latest_run_says(service: Service, callers: Callers) -> None:
    with_a_past(service)
    text = (await callers("viewer").get("/clusters/red")).text
    assert "does not do its work" in text


async def test_health_is_read_from_as_few_runs_as_tell_it() -> None:
    result = {"host": "red", "outcome": "done", "failure": None}
    report = {"hosts": [result], "dry": False, "verified": True, "data": {}}
    run = {"verb": "verify", "service": "slurm", "state": "done", "started": 1.0, "seconds": 1.0}
    kept = [{**run, "cluster": "red", "id": str(number), "report": report} for number in range(100)]
    asked = []

    async def ask(path: str, *, cluster: str, limit: int, before: str) -> list[dict[str, Any]]:
        begin = int(before) + 1 if before else 0
        asked.append(begin)
        return kept[begin : begin + limit]

    cluster: dict[str, Any] = {"name": "red", "hosts": [{"name": "red"}], "services": {"slurm": "red"}}
    assert (await health.read(cluster, ask)).service("slurm").words == "works"
    assert len(asked) == 1
    # What no run tells is looked for, but not for ever.
    cluster["services"]["spark"] = "red"
    assert (await health.read(cluster, ask)).service("spark") == health.NOT_KNOWN
    assert len(asked) == 1 + 6


def test_a_service_without_one_of_its_hosts_is_not_called_well() -> None:
    hosts = [
        {"host": name, "outcome": how, "failure": None} for name, how in {"red": "done", "red01": "failed"}.items()
    ]
    report = {"hosts": hosts, "dry": False, "verified": True, "data": {}}
    run = {"id": "1", "cluster": "red", "verb": "deploy", "service": "slurm", "state": "failed", "report": report}
    found = health.of_cluster("red", [{**run, "started": 1.0, "seconds": 1.0}]).service("slurm")
    assert (found.level, found.words) == ("bad", "works, but without red01")


def test_changes_name_hosts_in_the_order_of_the_job() -> None:
    events = [{"kind": "step-done", "outcome": "changed", "step": "a", "host": host} for host in ("red02", "red")]
    assert [one.hosts for one in changes.of_events(events, ["red", "red01", "red02"])] == ["red,red02"]


async def test_what_hosts_lack_is_told_as_a_problem_of_each(callers: Callers) -> None:
    api.hosts_add("red.invalid", cluster="red")
    viewer = callers("viewer")
    for what in ("check", "temperature"):
        job = (await viewer.post(f"/clusters/red/do/{what}")).headers["location"]
        await viewer.get(f"/api/v1{job}/events")
        text = (await viewer.get(job)).text
        assert re.search(r'<p class="what"><strong>red.invalid</strong>: [^<]*red.invalid', text), text
        assert '<th scope="col">host</th>' in text
        assert ">error<" not in text
        assert ">problems<" not in text


async def test_who_may_not_do_it_is_offered_neither_again_nor_its_end(service: Service, callers: Callers) -> None:
    api.hosts_add("red.invalid", cluster="red")
    admin = callers("admin")
    job = (await admin.post("/clusters/red/do/trust")).headers["location"]
    await admin.get(f"/api/v1{job}/events")
    for role in ("viewer", "operator", "admin"):
        text = (await callers(role).get(job)).text
        assert (f"{job}/again" in text) == (role == "admin"), role


async def test_runs_are_found_by_what_they_were(service: Service, callers: Callers) -> None:
    with_a_past(service)
    viewer = callers("viewer")
    text = (await viewer.get("/runs?cluster=red&service=slurm&verb=verify&state=failed")).text
    assert re.findall(r'href="/runs/(\d[^"]+)"', text) == ["20260102-100000-bbbb"]
    assert '<option value="failed" selected>' in text
    assert "Nothing like that" in (await viewer.get("/runs?verb=remove")).text


async def test_a_mistake_in_a_form_is_told_beside_what_was_written(service: Service, callers: Callers) -> None:
    with_a_past(service)
    given = {"hosts": "red,red[01-02]", "hosts_now": "red,red[01-02]", "option.max_time": f"soon{HOSTILE}"}
    answer = await callers("operator").post("/clusters/red/services/slurm/deploy", data=given)
    assert answer.status_code == 422
    assert "not a time" in answer.text
    assert 'value="soon&lt;script&gt;' in answer.text
    assert HOSTILE not in answer.text


async def test_a_dry_run_is_asked_for_and_then_applied(service: Service, callers: Callers) -> None:
    with_a_past(service)
    operator = callers("operator")
    given = {"hosts": "red,red[01-02]", "hosts_now": "red,red[01-02]", "option.max_time": "60", "option.mpi": "none"}
    answer = await operator.post("/clusters/red/services/slurm/deploy", data=given)
    assert answer.status_code == 303, answer.text
    job = (await operator.get("/api/v1" + answer.headers["location"])).json()
    # What is as it was is not asked for, because it would be recorded.
    assert job["arguments"] == {
        "cluster": "red", "service": "slurm", "options": {"max_time": "60"}, "dry_run": True
    }  # fmt: skip
    await operator.get(f"/api/v1{answer.headers['location']}/events")
    answer = await operator.post(f"{answer.headers['location']}/apply")
    assert answer.status_code == 303, answer.text
    job = (await operator.get("/api/v1" + answer.headers["location"])).json()
    assert "dry_run" not in job["arguments"]
    await operator.post(answer.headers["location"] + "/cancel")


async def test_files_of_the_page_are_given_to_all(callers: Callers) -> None:
    for path in ("/static/page.css", "/vendor/htmx.min.js", "/static/mark.svg"):
        assert (await callers("").get(path)).status_code == 200
    for path in ("/static/../render.py", "/static/%2e%2e/render.py", "/static/..%2frender.py"):
        assert (await callers("").get(path)).status_code in (303, 404)


async def test_a_fault_has_a_page_that_tells_nothing_of_its_insides(
    service: Service, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("insides")

    monkeypatch.setattr(health, "of_cluster", broken)
    with_a_past(service)
    viewer = callers("viewer")
    viewer._transport.raise_app_exceptions = False  # type: ignore[attr-defined]
    answer = await viewer.get("/clusters/red")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "the service has a fault" in answer.text
    assert "insides" not in answer.text


async def test_a_page_of_an_error_leads_on(service: Service, callers: Callers) -> None:
    assert 'aria-label="Main"' in (await callers("viewer").get("/clusters/blue")).text
