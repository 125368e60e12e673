"""How the service behaves towards callers: errors, pages of lists, what is the same as before, preferences."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.unit.board import PI
from tests.unit.test_rest.conftest import Callers

from bramble import api, inventory
from bramble.engine.history import History
from bramble.engine.report import HostResult, Report
from bramble.errors import UsageError
from bramble.rest.service import Service
from bramble.runner.events import FactsGathered

SLURM = "/api/v1/clusters/red/services/slurm"
#: Goes nowhere: nothing listens there.
NOWHERE = {"hosts": "red,red[01-02]", "dry_run": True, "port": 9}


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/api/v1/nothing", 404, "there is nothing at this address"),
        ("PATCH", SLURM, 405, "PATCH is not for this address"),
        ("GET", "/api/v1/clusters/blue", 404, "there is no cluster 'blue'"),
        ("GET", "/api/v1/jobs/blue", 404, "there is no job 'blue'"),
        ("GET", "/api/v1/jobs?stat=done", 422, "there is no parameter 'stat' here"),
        ("GET", "/api/v1/runs?limit=x", 422, "the request is not what it should be"),
        ("GET", "/api/v1/hosts/expand?expression=-", 422, "- is standard input, and a service has none"),
        ("PUT", f"{SLURM}?dry_run=true", 422, "there is no parameter 'dry_run' here"),
    ],
)
async def test_every_error_is_a_problem(callers: Callers, method: str, path: str, status: int, title: str) -> None:
    answer = await callers("admin").request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    told = answer.json()
    assert (told["status"], told["title"]) == (status, title)
    assert told["hint"]


async def test_what_an_address_takes_is_said(callers: Callers) -> None:
    assert (await callers("admin").patch(SLURM)).headers["allow"] == "PUT, DELETE"


async def test_a_fault_of_ours_tells_no_insides(
    service: Service, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(api, "hosts_list", broken)
    client = callers("viewer")
    client._transport.raise_app_exceptions = False  # type: ignore[attr-defined]
    answer = await client.get("/api/v1/clusters")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "inside" not in answer.text


@pytest.mark.parametrize(
    ("verb", "asked", "path", "body"),
    [
        ("deploy", {"service": "slurmy", "hosts": "red"}, "/api/v1/clusters/red/services/slurmy", {"hosts": "red"}),
        ("deploy", {"service": "slurm", "hosts": "red[1-"}, SLURM, {"hosts": "red[1-"}),
        (
            "deploy",
            {"service": "slurm", "hosts": "red", "options": {"partition": 1}},
            SLURM,
            {"hosts": "red", "options": {"partition": 1}},
        ),
        ("scale", {"service": "slurm", "hosts": "red"}, f"{SLURM}/scale", {"hosts": "red"}),
        ("led", {"state": "green", "hosts": "red"}, "/api/v1/clusters/red/led", {"state": "green", "hosts": "red"}),
    ],
)
async def test_the_service_says_what_the_api_says(
    callers: Callers, verb: str, asked: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    api.hosts_add("red", cluster="red")
    with pytest.raises(UsageError) as expected:
        await getattr(api, verb)(**asked)
    method = "PUT" if verb == "deploy" else "POST"
    told = (await callers("operator").request(method, path, json=body)).json()
    if "errors" in told:  # refused before the verb is asked, by the verb's own types
        assert verb == "led"
    else:
        assert (told["title"], told.get("hint", "")) == (expected.value.what, expected.value.hint)


async def test_an_answer_is_the_same_until_something_changes(callers: Callers) -> None:
    api.hosts_add("red,red[01-02]", cluster="red")
    viewer = callers("viewer")
    first = await viewer.get("/api/v1/clusters/red")
    again = {"If-None-Match": first.headers["etag"]}
    assert (await viewer.get("/api/v1/clusters/red", headers=again)).status_code == 304
    api.hosts_add("red03", cluster="red")
    changed = await viewer.get("/api/v1/clusters/red", headers=again)
    assert changed.status_code == 200
    assert [host["name"] for host in changed.json()["hosts"]][-1] == "red03"


async def test_a_long_answer_is_packed_for_who_takes_that(callers: Callers) -> None:
    api.hosts_add("red[001-200]", cluster="red")
    viewer, path = callers("viewer"), "/api/v1/clusters/red"
    packed, plain, refused = [
        await viewer.get(path, headers={"Accept-Encoding": taken}) for taken in ("gzip, br", "identity", "gzip;q=0, br")
    ]
    assert [one.headers.get("content-encoding") for one in (packed, plain, refused)] == ["gzip", None, None]
    assert packed.json() == plain.json() == refused.json()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 10
    assert packed.headers["etag"] != plain.headers["etag"]
    for known in (packed, plain):
        again = await viewer.get(path, headers={"If-None-Match": known.headers["etag"]})
        assert (again.status_code, again.headers.get("content-encoding")) == (304, None)
    assert "accept-encoding" in packed.headers["vary"].lower()


async def test_a_run_changes_what_is_known_of_a_cluster(service: Service, callers: Callers) -> None:
    api.hosts_add("red", cluster="red")
    viewer, history = callers("viewer"), History(inventory.folders.history())
    for model in ("Pi 4", "Pi 5"):
        history.begin(model, "status", "", "red", "")
        found = FactsGathered(host="red", facts={**asdict(PI), "model": model})
        history.end(Report(run=model, verb="status", cluster="red"), [found])
        (host,) = (await viewer.get("/api/v1/clusters/red")).json()["hosts"]
        assert host["facts"]["model"] == model


async def test_hosts_come_in_pages(callers: Callers) -> None:
    api.hosts_add("red[01-07]", cluster="red")
    viewer, seen, path = callers("viewer"), [], "/api/v1/clusters/red/hosts?limit=3"
    while path:
        answer = await viewer.get(path)
        seen.append([host["name"] for host in answer.json()])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == [["red01", "red02", "red03"], ["red04", "red05", "red06"], ["red07"]]


@pytest.mark.parametrize("path", ["/clusters/red/hosts", "/jobs", "/runs", "/audit"])
async def test_a_page_of_a_list_is_not_sent_again_while_it_is_the_same(callers: Callers, path: str) -> None:
    api.hosts_add("red[01-03]", cluster="red")
    admin = callers("admin")
    job = (await admin.post("/api/v1/clusters/red/status")).json()
    await admin.post(f"/api/v1/jobs/{job['id']}/cancel")
    first = await admin.get(f"/api/v1{path}?limit=1")
    again = await admin.get(f"/api/v1{path}?limit=1", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.links == first.links


async def test_jobs_come_in_pages(callers: Callers) -> None:
    operator = callers("operator")
    ids = [(await operator.put(SLURM, json=NOWHERE)).json()["id"] for _ in range(3)]
    first = await operator.get("/api/v1/jobs?limit=2&verb=deploy")
    second = await operator.get(first.links["next"]["url"])
    assert [job["id"] for job in first.json() + second.json()] == sorted(ids, reverse=True)
    assert "next" not in second.links


async def test_runs_come_in_pages_and_by_what_they_are_about(callers: Callers) -> None:
    history = History(inventory.folders.history())
    for number, cluster in enumerate(["red", "blue", "red", "red", "red"]):
        history.begin(f"2026-{number}", "deploy", "slurm", cluster, "bramble deploy slurm")
    client = callers("viewer")
    seen = []
    url = "/api/v1/runs?limit=2&cluster=red&state=running"
    while url:
        answer = await client.get(url)
        seen.append([run["id"] for run in answer.json()])
        url = answer.links.get("next", {}).get("url", "")
    # A page that is full may be the last one.
    assert seen == [["2026-4", "2026-3"], ["2026-2", "2026-0"], []]
    assert (await client.get("/api/v1/runs?verb=remove")).json() == []
    assert (await client.get("/api/v1/runs?state=done")).json() == []


async def test_a_brief_list_of_runs_leaves_out_what_grows_with_hosts(callers: Callers) -> None:
    history, client = History(inventory.folders.history()), callers("viewer")
    history.begin("2026-1", "deploy", "slurm", "red", "bramble deploy slurm")
    hosts = {"red": HostResult(host="red", outcome="done", changed=3)}
    history.end(Report(run="2026-1", verb="deploy", cluster="red", hosts=hosts, data={"a": [1]}), [])
    (whole,) = (await client.get("/api/v1/runs")).json()
    (brief,) = (await client.get("/api/v1/runs?brief=true")).json()
    assert {*whole["report"]} - {*brief["report"]} == {"hosts", "data"}
    assert (brief["report"]["changed"], brief["state"]) == (3, "done")


async def test_who_waits_gets_the_end(callers: Callers) -> None:
    answer = await callers("operator").put(SLURM, json=NOWHERE, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=20")
    job = answer.json()
    assert (job["state"], job["links"]["run"]) == ("failed", f"/api/v1/runs/{job['run']}")
    assert (await callers("viewer").get(job["links"]["run"])).json()["report"] == job["result"]


async def test_a_job_is_done_again(callers: Callers) -> None:
    operator = callers("operator")
    asked = {**NOWHERE, "sudo_password": "s3cret"}
    first = (await operator.put(SLURM, json=asked, headers={"Prefer": "wait=20"})).json()
    assert (first["secrets"], first["arguments"]) == (
        ["sudo_password"],
        {**NOWHERE, "cluster": "red", "service": "slurm"},
    )
    again = f"/api/v1/jobs/{first['id']}/again"
    refused = await operator.post(again)
    assert refused.status_code == 422
    assert refused.json()["title"] == "it had secrets, and they are not kept: sudo_password"
    assert (await callers("viewer").post(again, json={"secrets": {"sudo_password": "x"}})).status_code == 403
    second = await operator.post(again, json={"secrets": {"sudo_password": "x"}}, headers={"Prefer": "wait=20"})
    assert (second.status_code, second.json()["arguments"]) == (200, first["arguments"])
    assert second.json()["id"] != first["id"]


async def test_a_key_is_used_once(callers: Callers) -> None:
    operator, key = callers("operator"), {"Idempotency-Key": "1"}
    one, other = await asyncio.gather(
        operator.put(SLURM, json=NOWHERE, headers=key), operator.put(SLURM, json=NOWHERE, headers=key)
    )
    assert one.json()["id"] == other.json()["id"]
    refused = await operator.put(SLURM, json={**NOWHERE, "verify": False}, headers=key)
    assert refused.status_code == 422


# Files and secrets of one's own


async def test_a_secret_is_given_by_what_is_in_it(service: Service, callers: Callers) -> None:
    api.hosts_add("red", cluster="red")
    path, operator = "/api/v1/clusters/red/services/kubernetes", callers("operator")
    named = await operator.put(path, json={"hosts": "red", "options": {"pull_secret": "/etc/shadow"}})
    assert (named.status_code, named.json()["title"]) == (
        422, "pull_secret names a file, and the service has none of yours",
    )  # fmt: skip
    logins = json.dumps({"auths": {"quay.io": {"auth": "bWFyaWE6czNjcmV0LW9mLW1pbmU="}}})
    given = {**NOWHERE, "hosts": "red", "options": {"pull_secret": {"content": logins}}}
    answer = await operator.put(path, json=given, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert (job["secrets"], job["arguments"]["options"]) == (["options.pull_secret"], {})
    with service.database.change() as change:
        change.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(file.read_bytes() for file in service.folder.iterdir() if file.is_file())
    assert b"bWFyaWE6" not in kept + answer.content


async def test_a_file_goes_there_and_back(service: Service, callers: Callers) -> None:
    admin, content = callers("admin"), b"x" * 3_000_000
    assert (await admin.put("/api/v1/files/app.tar", content=content)).status_code == 201
    assert [file["name"] for file in (await admin.get("/api/v1/files")).json()] == ["app.tar"]
    assert (await admin.get("/api/v1/files/app.tar")).content == content
    assert (service.files.folder / "app.tar").stat().st_mode & 0o077 == 0
    assert (await admin.delete("/api/v1/files/app.tar")).status_code == 204
    assert (await admin.get("/api/v1/files/app.tar")).status_code == 404
    assert (await callers("operator").get("/api/v1/files/app.tar")).status_code == 403


async def test_a_file_that_is_too_large_leaves_nothing(service: Service, callers: Callers) -> None:
    service.files.largest = 1000
    answer = await callers("operator").put("/api/v1/files/app.tar", content=b"x" * 1001)
    assert answer.status_code == 413
    assert list(service.files.folder.iterdir()) == []


def archive(*members: tarfile.TarInfo) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"y" * member.size))
    return written.getvalue()


def member(name: str, size: int = 0, **more: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size = size
    for attribute, value in more.items():
        setattr(made, attribute, value)
    return made


async def test_a_folder_comes_as_an_archive(service: Service, callers: Callers) -> None:
    admin = callers("admin")
    sent = archive(member("Containerfile", 4), member("src/main.py", 2))
    answer = await admin.put("/api/v1/files/app?unpack=true", content=sent)
    assert (answer.status_code, answer.json()["kind"]) == (201, "folder")
    back = (await admin.get("/api/v1/files/app")).content
    with tarfile.open(fileobj=io.BytesIO(back)) as tar:
        assert sorted(tar.getnames()) == ["app", "app/Containerfile", "app/src", "app/src/main.py"]
    assert [path.name for path in service.files.folder.iterdir()] == ["app"]


async def test_a_folder_takes_the_place_of_a_file_and_a_file_that_of_a_folder(callers: Callers) -> None:
    admin = callers("admin")
    for kind, query, sent in (
        ("file", "", b"x"),
        ("folder", "?unpack=true", archive(member("main.py", 2))),
        ("folder", "?unpack=true", archive(member("other.py", 2))),
        ("file", "", b"y"),
    ):
        answer = await admin.put(f"/api/v1/files/app{query}", content=sent)
        assert (answer.status_code, answer.json()["kind"]) == (201, kind)
        assert [file["name"] for file in (await admin.get("/api/v1/files")).json()] == ["app"]
    assert (await admin.get("/api/v1/files/app")).text == "y"


@pytest.mark.parametrize(
    "sent",
    [
        archive(member("../escaped", 1)),
        archive(member("link", type=tarfile.SYMTYPE, linkname="/etc"), member("link/escaped", 1)),
        archive(member("device", type=tarfile.CHRTYPE)),
        archive(member("large", 2000)),
        archive(member("one", 1000), *(member(f"also{n}", type=tarfile.LNKTYPE, linkname="one") for n in range(9))),
        archive(member("other", type=tarfile.LNKTYPE, linkname="/etc/passwd")),
        archive(
            member("round", type=tarfile.SYMTYPE, linkname="round"),
            member("it", type=tarfile.LNKTYPE, linkname="round"),
        ),
        archive(member("a/" * 3000, type=tarfile.DIRTYPE)),
        archive(member("app", 1000))[:-40],
        b"no archive",
    ],
    ids=["above", "link", "device", "large", "many", "other", "round", "deep", "cut", "none"],
)
async def test_an_archive_stays_in_its_folder(service: Service, callers: Callers, sent: bytes) -> None:
    service.files.largest = 1500
    answer = await callers("operator").put("/api/v1/files/app?unpack=true", content=sent)
    assert answer.status_code in (413, 422), answer.text
    assert list(service.files.folder.iterdir()) == []


async def test_an_archive_is_laid_as_it_is(service: Service, callers: Callers) -> None:
    times = {"mtime": "1700000000.123456789"}
    members = (
        member("site/run", 2, mode=0o4775, pax_headers=times),
        member("site/away", type=tarfile.SYMTYPE, linkname="/etc/hostname"),
        member("site/odd", 1, mode=0, pax_headers={"mtime": "1e999999999"}),
    )
    assert (await callers("admin").put("/api/v1/files/app?unpack=true", content=archive(*members))).status_code == 201
    site = service.files.folder / "app" / "site"
    about = (site / "run").stat()
    assert (about.st_mode & 0o7777, about.st_mtime_ns) == (0o775, 1700000000123456789)
    assert (site / "away").readlink() == Path("/etc/hostname")
    assert ((site / "odd").stat().st_mode & 0o7777, (site / "odd").stat().st_mtime) == (0o400, 0)


async def test_a_file_in_a_folder_can_be_named(service: Service, callers: Callers, home: Path) -> None:
    api.hosts_add("red", cluster="red")
    folder = service.files.folder / "app"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "notes").write_text("no backup")
    (folder / "away").symlink_to(home)
    (home / "secret").write_text("x")
    admin, path = callers("admin"), "/api/v1/clusters/red/services/kubernetes/restore"
    answer = await admin.post(path, json={"file": "app/deep/notes"})
    assert (answer.status_code, answer.json()["title"].split()[0]) == (422, "app/deep/notes")
    assert str(service.folder) not in answer.text
    for name in ("app/away/secret", "app/away", "app/../../service.sqlite", "app//deep/notes", "app/./deep", "app/x"):
        answer = await admin.post(path, json={"file": name})
        assert answer.status_code in (404, 422)
        assert "file of the service" in answer.json()["title"] or "has no file" in answer.json()["title"], answer.text
    for name in ("app/" + "x" * 300, "app" + "/x" * 5000):
        assert (await admin.post(path, json={"file": name})).status_code == 404


@pytest.mark.parametrize(
    "name", ["..%2f..%2fescaped", ".hidden", "%2fetc%2fpasswd", "a%00b", "a%0ab", "~", "-r", "%2e%2e"]
)
async def test_a_name_stays_in_its_folder(service: Service, callers: Callers, name: str) -> None:
    admin = callers("admin")
    for method in ("PUT", "GET", "DELETE"):
        answer = await admin.request(method, f"/api/v1/files/{name}", content=b"x" if method == "PUT" else None)
        assert answer.status_code in (404, 405, 422), (method, answer.text)
    assert not list(service.folder.rglob("*escaped*"))


async def test_a_link_is_no_file(service: Service, callers: Callers) -> None:
    (service.files.folder / "link").symlink_to("/etc/passwd")
    assert (await callers("admin").get("/api/v1/files/link")).status_code == 404
    assert (await callers("admin").get("/api/v1/files")).json() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clusters/red/copy", {"files": ["/etc/shadow"]}),
        ("clusters/red/copy", {"files": ["../service.sqlite"]}),
        ("clusters/red/fetch", {"paths": ["/etc/hostname"], "into": "/root"}),
        ("clusters/red/services/kubernetes/backup", {"to": "/tmp/x"}),
        ("clusters/red/services/kubernetes/restore", {"file": "/etc/shadow"}),
        ("clusters/red/images/load", {"files": ["-"]}),
        ("clusters/red/images/build", {"folder": "/etc", "tag": "app:1"}),
        ("artifacts/export", {"file": "/root/.bashrc"}),
        ("artifacts/import", {"file": "/etc/shadow"}),
        ("cards/check", {"device": "/dev/null"}),
        ("cards/check", {"device": "/etc/shadow"}),
        ("cards/burn", {"image": "/etc", "hosts": "red", "output": "cards"}),
        ("cards/burn", {"image": "file:///etc/shadow", "hosts": "red", "output": "cards"}),
        ("cards/burn", {"hosts": "red", "output": "/tmp"}),
        ("cards/burn", {"hosts": "red", "authorized_keys": ["/etc/shadow"], "output": "cards"}),
        ("cards/images/fetch", {"images": ["./x.img"]}),
    ],
)
async def test_no_other_file_of_the_machine_can_be_named(callers: Callers, path: str, body: dict[str, Any]) -> None:
    api.hosts_add("red", cluster="red")
    answer = await callers("admin").post(f"/api/v1/{path}", json=body)
    assert answer.status_code in (404, 422), answer.text
    words = ("has no file", "cannot be the name of a file", "is no card reader")
    assert any(word in answer.json()["title"] for word in words), answer.text


async def test_a_fetched_link_does_not_lead_out_when_it_is_built_from(service: Service, callers: Callers) -> None:
    api.hosts_add("red", cluster="red")
    folder = service.files.folder / "app"
    folder.mkdir()
    (folder / "Containerfile").symlink_to("/etc/passwd")
    answer = await callers("operator").post("/api/v1/clusters/red/images/build", json={"folder": "app", "tag": "app:1"})
    assert (answer.status_code, "outside" in answer.json()["title"]) == (422, True)


async def test_what_is_told_has_no_paths_of_the_service(
    service: Service, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def backup(service: str, *, to: str = "", **_: Any) -> dict[str, str]:
        return {"file": f"{to}/red.backup"}

    monkeypatch.setattr(api, "backup", backup)
    path = "/api/v1/clusters/red/services/kubernetes/backup"
    answer = await callers("operator").post(path, headers={"Prefer": "wait=5"})
    assert answer.json()["result"] == {"file": "red.backup"}


async def test_options_come_as_a_schema(callers: Callers) -> None:
    schema = (await callers("viewer").get("/api/v1/services/kubernetes/options")).json()
    assert schema["properties"]["pull_secret"]["properties"] == {"content": {"type": "string", "writeOnly": True}}
    assert (await callers("viewer").get("/api/v1/services/kubernetes")).json()["name"] == "kubernetes"
