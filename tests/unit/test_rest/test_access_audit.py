"""The audit says who did what, from where, and what came of it, and never a secret."""

from __future__ import annotations

import csv
import io
import json
import sqlite3

import httpx
import pytest
from tests.unit.test_rest.conftest import Callers

from bramble.rest.access.audit import Audit, Entry, comma_separated
from bramble.rest.access.guard import Viewer
from bramble.rest.app import make
from bramble.rest.database import Database
from bramble.rest.service import Service

V1 = "/api/v1"
PASSWORD = "four words in a row"


def noted(service: Service) -> list[tuple[str, str, str, str, str]]:
    """What is in the audit, oldest first."""
    return [(one.who, one.via, one.what, one.about, one.result) for one in reversed(service.audit.all())]


async def test_changes_logins_refusals_and_jobs_are_noted_and_reading_is_not(
    service: Service, callers: Callers
) -> None:
    stranger, viewer, admin = callers(""), callers("viewer"), callers("admin")
    await admin.get(f"{V1}/users")
    await admin.post(f"{V1}/users", json={"name": "maria", "role": "operator", "password": PASSWORD})
    await stranger.post(f"{V1}/session", json={"name": "maria", "password": "wrong and wrong"})
    await stranger.post(f"{V1}/session", json={"name": "maria", "password": PASSWORD})
    await viewer.get(f"{V1}/users")
    job = await admin.put(f"{V1}/clusters/red/services/slurm", json={"hosts": "red", "dry_run": True, "port": 9})
    assert job.status_code == 202
    told = job.headers["location"].rpartition("/")[2]
    assert noted(service) == [
        ("admin", "token admin-2", "users_add", "name maria, role operator", "201 Created"),
        ("maria", "password", "session_begin", "", "401 Unauthorized"),
        ("maria", "password", "session_begin", "", "200 OK"),
        ("viewer", "token viewer-1", "users_list", "", "403 Forbidden"),
        ("admin", "token admin-2", "deploy", f"cluster red, service slurm, job {told}", "202 Accepted"),
    ]
    assert {one.address for one in service.audit.all()} == {"127.0.0.1"}


async def test_a_file_that_goes_home_is_noted(service: Service, callers: Callers) -> None:
    admin = callers("admin")
    await admin.put(f"{V1}/files/red.backup", content=b"keys")
    await admin.get(f"{V1}/files")
    assert (await admin.get(f"{V1}/files/red.backup")).content == b"keys"
    assert (await admin.get(f"{V1}/files/other")).status_code == 404
    assert [one[2:] for one in noted(service)] == [
        ("files_put", "name red.backup", "201 Created"),
        ("files_get", "name red.backup", "200 OK"),
    ]


async def test_a_password_typed_as_a_name_is_not_kept(service: Service, callers: Callers) -> None:
    await callers("").post(f"{V1}/session", json={"name": PASSWORD, "password": "maria maria maria"})
    assert noted(service) == [("", "password", "session_begin", "", "401 Unauthorized")]
    assert PASSWORD.encode() not in service.database.path.read_bytes()


async def test_strangers_cannot_fill_the_disk(service: Service, callers: Callers) -> None:
    for number in range(50):
        await callers("").get(f"{V1}/clusters/{number}")
        await callers("").post(f"{V1}/nothing/{number}")
    assert len(noted(service)) == 1


async def test_a_request_that_ends_badly_is_noted(service: Service, callers: Callers) -> None:
    admin = callers("admin")
    answer = await admin.delete(f"{V1}/users/nobody")
    assert answer.status_code == 404
    assert noted(service)[-1][2:] == ("users_remove", "name nobody", "404 Not Found")


async def test_what_a_caller_writes_stays_on_one_line(service: Service, callers: Callers) -> None:
    await callers("viewer").delete(f"{V1}/users/a%0d%0a2026 admin deploy{'x' * 500}")
    about = noted(service)[-1][3]
    assert about.startswith("name a??2026 admin")
    assert len(about) < 250


async def test_admins_read_it_page_by_page_and_by_filter(service: Service, callers: Callers) -> None:
    for number in range(5):
        service.audit.note(who=f"user{number % 2}", via="session", what="deploy", about=str(number))
    admin = callers("admin")

    async def read(**query: object) -> list[int]:
        answer = await admin.get(f"{V1}/audit", params={name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return [one["number"] for one in answer.json()]

    assert await read(limit=2) == [5, 4]
    assert await read(limit=2, before=4) == [3, 2]
    assert (await admin.get(f"{V1}/audit?limit=2")).links["next"]["url"].endswith("/audit?limit=2&before=4")
    assert not (await admin.get(f"{V1}/audit?limit=5")).links
    assert await read(by="user1") == [4, 2]
    assert await read(what="remove") == []
    assert len(await read(since="1d")) == 5
    assert await read(since="2999-01-01") == []
    assert (await admin.get(f"{V1}/audit?since=soon")).status_code == 422


async def test_it_can_be_exported(service: Service, callers: Callers) -> None:
    for name in ("maria", "=cmd|' /C calc'!A0", "+1", "-1", "@sum", "\tx"):
        service.audit.note(who=name, via="session", what="deploy", about='a, "b"\nc')
    admin = callers("admin")
    lines = (await admin.get(f"{V1}/audit/export")).text.splitlines()
    assert [Entry(**json.loads(line)) for line in lines] == service.audit.all()
    answer = await admin.get(f"{V1}/audit/export?form=csv&by=maria")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["who"], row["about"]) for row in rows] == [("maria", 'a, "b"\nc')]
    text = "".join(comma_separated(service.audit.all()))
    assert not [row for row in csv.reader(io.StringIO(text)) if row[2][:1] in "=+-@\t"]


def test_it_is_only_added_to(service: Service) -> None:
    service.audit.note(who="maria", via="session", what="deploy")
    for statement in ("UPDATE audit SET who = 'eve'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError), service.database.change() as change:
            change.execute(statement)


@pytest.mark.parametrize(
    ("by_hand", "broken"),
    [
        ("UPDATE audit SET result = '200 OK' WHERE number = 2", 2),
        ("UPDATE audit SET time = time + 1 WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("UPDATE audit SET hash = 'x' WHERE number = 3", 3),
    ],
)
async def test_what_was_changed_by_hand_is_found(service: Service, callers: Callers, by_hand: str, broken: int) -> None:
    for name in ("maria", "tom", "ada"):
        service.audit.note(who=name, via="session", what="deploy", result="403 Forbidden")
    assert (service.audit.check().entries, service.audit.check().broken) == (3, 0)
    with service.database.change() as change:
        change.execute("DROP TRIGGER audit_stays")
        change.execute("DROP TRIGGER audit_is_kept")
        change.execute(by_hand)
    assert service.audit.check().broken == broken
    assert (await callers("admin").get(f"{V1}/audit/check")).json()["broken"] == broken


def test_two_writers_make_one_chain(service: Service) -> None:
    other = Database(service.database.path)
    for number in range(4):
        (service.audit if number % 2 else Audit(other)).note(who=str(number), via="session", what="deploy")
    other.close()
    assert (service.audit.check().entries, service.audit.check().broken) == (4, 0)


async def test_an_error_of_ours_is_noted_and_tells_nothing(service: Service, callers: Callers) -> None:
    app = make(service)

    @app.post("/api/v1/broken")
    async def broken(who: Viewer) -> None:
        raise RuntimeError("the secret is 42")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    token = callers("admin").headers["authorization"]
    async with httpx.AsyncClient(transport=transport, base_url="https://red:8443") as client:
        answer = await client.post("/api/v1/broken", headers={"Authorization": token})
    assert answer.status_code == 500
    assert "42" not in answer.text
    assert "Content-Security-Policy" in answer.headers
    assert noted(service)[-1][2:] == ("broken", "", "500 Internal Server Error")
