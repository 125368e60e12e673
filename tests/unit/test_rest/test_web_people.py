"""Logging in by the page, accounts, users, tokens, the audit: the API decides, pages show."""

from __future__ import annotations

import re

import httpx
import pytest
from tests.unit.test_rest.conftest import Callers
from tests.unit.test_rest.web import HOSTILE

from bramble.rest.service import Service

PASSWORD = "four words in a row"


@pytest.fixture
async def admin(service: Service, callers: Callers) -> httpx.AsyncClient:
    """Anna, who has logged in by the page."""
    await service.users.add("anna", role="admin", password=PASSWORD)
    browser = callers("")
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    answer = await browser.post("/login", data={"name": "anna", "password": PASSWORD, "next": "/runs"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs"), answer.text
    return browser


async def test_who_logs_in_gets_a_session(admin: httpx.AsyncClient) -> None:
    cookie = admin.cookies["__Host-bramble"]
    assert len(cookie) > 40
    assert "anna" in (await admin.get("/")).text
    answer = await admin.post("/logout")
    assert answer.headers["location"] == "/login"
    admin.cookies.set("__Host-bramble", cookie, domain="red")
    assert (await admin.get("/")).status_code == 303


async def test_a_wrong_password_is_told_on_the_page(service: Service, callers: Callers) -> None:
    await service.users.add("anna", role="admin", password=PASSWORD)
    answer = await callers("").post("/login", data={"name": HOSTILE, "password": "other"})
    assert answer.status_code == 401
    assert "<form" in answer.text
    assert HOSTILE not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "next", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", "javascript:a", ""]
)
async def test_a_login_leads_to_no_other_site(service: Service, callers: Callers, next: str) -> None:
    await service.users.add("anna", role="admin", password=PASSWORD)
    answer = await callers("").post("/login", data={"name": "anna", "password": PASSWORD, "next": next})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_form_of_another_site_is_refused(admin: httpx.AsyncClient, service: Service) -> None:
    answer = await admin.post(
        "/users", data={"name": "eve", "role": "admin", "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert [user.name for user in service.users.all()] == ["anna"]


async def test_users_are_added_changed_and_taken_away(admin: httpx.AsyncClient, service: Service) -> None:
    given = {"name": "maria", "role": "operator", "password": PASSWORD}
    assert (await admin.post("/users", data=given)).status_code == 303
    assert "maria" in (await admin.get("/users")).text
    assert (await admin.post("/users/maria/role", data={"role": "viewer"})).status_code == 303
    assert service.users.get("maria").role == "viewer"
    again = await admin.post("/users", data=given)
    assert (again.status_code, "there is a user" in again.text) == (422, True)
    assert PASSWORD not in again.text
    assert (await admin.post("/users/maria/remove")).status_code == 303
    assert "is the last admin" in (await admin.post("/users/anna/remove")).text


async def test_only_admins_see_users_and_the_audit(callers: Callers) -> None:
    operator = callers("operator")
    for path in ("/users", "/audit"):
        assert (await operator.get(path)).status_code == 403
    text = (await operator.get("/tokens")).text
    assert 'href="/users"' not in text
    assert 'href="/audit"' not in text


async def test_a_token_is_shown_once(admin: httpx.AsyncClient, service: Service) -> None:
    made = await admin.post("/tokens", data={"name": "ci", "scope": "deploy", "expires": "30d"})
    token = re.search(r"brm_\w+", made.text)
    assert made.status_code == 201
    assert token
    assert made.headers["cache-control"] == "no-store"
    assert service.tokens.principal(token[0])
    assert token[0] not in (await admin.get("/tokens")).text
    assert (await admin.post("/tokens/ci/revoke")).status_code == 303
    assert service.tokens.principal(token[0]) is None


async def test_a_password_is_changed_by_who_knows_it(admin: httpx.AsyncClient, service: Service) -> None:
    new = "five other words in a row"
    wrong = await admin.post("/account", data={"current": "no", "password": new, "again": new})
    assert wrong.status_code in (401, 403, 422)
    differ = await admin.post("/account", data={"current": PASSWORD, "password": new, "again": PASSWORD})
    assert "the two new passwords differ" in differ.text
    done = await admin.post("/account", data={"current": PASSWORD, "password": new, "again": new})
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert await service.users.check("anna", new)


async def test_what_a_page_does_is_in_the_audit_once(admin: httpx.AsyncClient, service: Service) -> None:
    await admin.post("/clusters", data={"cluster": "red", "hosts": "red"})
    told = [(one.who, one.via, one.what, one.about) for one in service.audit.all(limit=10)]
    assert told[0] == ("anna", "session", "hosts_add", "cluster red")
    assert [one[2] for one in told] == ["hosts_add", "session_begin"]
    assert "hosts_add" in (await admin.get("/audit")).text


async def test_what_is_hostile_in_the_audit_is_text(admin: httpx.AsyncClient) -> None:
    await admin.post("/clusters", data={"cluster": HOSTILE.replace("/", ""), "hosts": "red"})
    text = (await admin.get("/audit")).text
    assert "&lt;script&gt;" in text
    assert "<img src=x" not in text


async def test_pages_and_files_have_the_strict_headers(admin: httpx.AsyncClient) -> None:
    for path in ("/", "/login", "/nowhere", "/static/page.css"):
        policy = (await admin.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
