"""Who may ask for what: every route of the service, for everybody. A new route without a line here fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NoReturn

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from tests.unit.test_rest import people
from tests.unit.test_rest.conftest import Callers

from bramble.rest import answers, endpoints
from bramble.rest.app import make
from bramble.rest.problem import Refused
from bramble.rest.service import Service
from bramble.rest.web import pages

#: ``public``: also who is not known; ``known``: every role; else this role and those above it.
Who = Literal["public", "known", "viewer", "operator", "admin"]

_V1 = "/api/v1"
_CLUSTER = f"{_V1}/clusters/{{cluster}}"
_SERVICE = f"{_CLUSTER}/services/{{service}}"

TABLE: dict[tuple[str, str], Who] = {
    ("GET", f"{_V1}/openapi.json"): "public",
    ("POST", f"{_V1}/session"): "public",
    ("GET", f"{_V1}/session"): "known",
    ("DELETE", f"{_V1}/session"): "known",
    # Clusters and their hosts
    ("GET", f"{_V1}/clusters"): "viewer",
    ("GET", _CLUSTER): "viewer",
    ("POST", f"{_CLUSTER}/hosts"): "operator",
    ("DELETE", f"{_CLUSTER}/hosts/{{expression}}"): "operator",
    ("GET", f"{_V1}/hosts/expand"): "viewer",
    ("POST", f"{_V1}/hosts/find"): "operator",
    ("POST", f"{_CLUSTER}/check"): "viewer",
    ("POST", f"{_CLUSTER}/trust"): "admin",
    ("POST", f"{_CLUSTER}/prepare"): "operator",
    # Services
    ("GET", f"{_CLUSTER}/hosts"): "viewer",
    ("GET", f"{_V1}/services"): "viewer",
    ("GET", f"{_V1}/services/{{name}}"): "viewer",
    ("GET", f"{_V1}/services/{{name}}/options"): "viewer",
    ("POST", f"{_CLUSTER}/status"): "viewer",
    ("PUT", _SERVICE): "operator",
    ("DELETE", _SERVICE): "operator",
    ("POST", f"{_SERVICE}/verify"): "operator",
    ("POST", f"{_SERVICE}/scale"): "operator",
    ("POST", f"{_SERVICE}/upgrade"): "operator",
    ("POST", f"{_SERVICE}/backup"): "operator",
    ("POST", f"{_SERVICE}/restore"): "operator",
    # Images
    ("GET", f"{_V1}/images"): "viewer",
    ("POST", f"{_CLUSTER}/images/build"): "operator",
    ("POST", f"{_CLUSTER}/images/load"): "operator",
    ("POST", f"{_CLUSTER}/images/remove"): "operator",
    # All hosts at once
    ("POST", f"{_CLUSTER}/command"): "admin",
    ("POST", f"{_CLUSTER}/copy"): "admin",
    ("POST", f"{_CLUSTER}/fetch"): "admin",
    ("POST", f"{_CLUSTER}/led"): "operator",
    ("POST", f"{_CLUSTER}/load"): "viewer",
    ("POST", f"{_CLUSTER}/temperature"): "viewer",
    ("POST", f"{_CLUSTER}/throttled"): "viewer",
    ("POST", f"{_CLUSTER}/reboot"): "operator",
    ("POST", f"{_CLUSTER}/poweroff"): "operator",
    ("POST", f"{_CLUSTER}/wake"): "operator",
    # What services bring
    ("GET", f"{_V1}/artifacts"): "viewer",
    ("POST", f"{_V1}/artifacts/fetch"): "operator",
    ("POST", f"{_V1}/artifacts/clean"): "admin",
    ("POST", f"{_V1}/artifacts/export"): "admin",
    ("POST", f"{_V1}/artifacts/import"): "admin",
    # Cards
    ("GET", f"{_V1}/cards"): "admin",
    ("POST", f"{_V1}/cards/burn"): "admin",
    ("POST", f"{_V1}/cards/check"): "admin",
    ("GET", f"{_V1}/cards/images"): "viewer",
    ("POST", f"{_V1}/cards/images/fetch"): "admin",
    ("POST", f"{_V1}/cards/images/clean"): "admin",
    # Runs and jobs
    ("GET", f"{_V1}/runs"): "viewer",
    ("GET", f"{_V1}/runs/{{id}}"): "viewer",
    ("GET", f"{_V1}/jobs"): "viewer",
    ("GET", f"{_V1}/jobs/{{id}}"): "viewer",
    ("GET", f"{_V1}/jobs/{{id}}/events"): "viewer",
    ("POST", f"{_V1}/jobs/{{id}}/cancel"): "operator",
    ("POST", f"{_V1}/jobs/{{id}}/again"): "viewer",  # if they may ask for what it was: test_access_viewers
    # Files
    ("GET", f"{_V1}/files"): "operator",
    ("GET", f"{_V1}/files/{{name}}"): "admin",
    ("PUT", f"{_V1}/files/{{name}}"): "operator",
    ("DELETE", f"{_V1}/files/{{name}}"): "operator",
    # Users, tokens, audit
    ("GET", f"{_V1}/users"): "admin",
    ("POST", f"{_V1}/users"): "admin",
    ("PUT", f"{_V1}/users/{{name}}"): "admin",  # of others; one's own password: test_access_users
    ("DELETE", f"{_V1}/users/{{name}}"): "admin",
    ("GET", f"{_V1}/tokens"): "known",
    ("POST", f"{_V1}/tokens"): "known",  # by a session alone: test_access_users
    ("DELETE", f"{_V1}/tokens/{{name}}"): "admin",  # of others
    ("GET", f"{_V1}/audit"): "admin",
    ("GET", f"{_V1}/audit/export"): "admin",
    ("GET", f"{_V1}/audit/check"): "admin",
}

#: Least that each route wants to be asked for, so that a role is what it is refused for.
_BODIES: dict[str, dict[str, Any]] = {f"{_V1}/users/{{name}}": {"role": "viewer"}}

_MAY: dict[Who, set[str]] = {
    "public": {"", "device", "viewer", "operator", "admin"},
    "known": {"device", "viewer", "operator", "admin"},
    "viewer": {"viewer", "operator", "admin"},
    "operator": {"operator", "admin"},
    "admin": {"admin"},
}


def routes(service: Service) -> set[tuple[str, str]]:
    """Method and path of every route there is."""
    found = set()
    for route in iter_route_contexts(make(service).routes):
        found |= {(method, str(route.path)) for method in (route.methods or {"ANY"}) - {"HEAD"}}
    return found


async def test_every_route_stands_in_the_table(service: Service) -> None:
    there = routes(service)
    assert there - set(TABLE) == set(), "say in TABLE who may ask for these"
    assert set(TABLE) - there == set()


@pytest.mark.parametrize("role", ["", "device", "viewer", "operator", "admin"])
async def test_who_may_ask_for_what(callers: Callers, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    async def begun(*_: object, **__: object) -> None:
        raise Refused(418, "this would be a job")

    monkeypatch.setattr(endpoints, "submit", begun)
    monkeypatch.setattr(answers, "api", Nothing())
    client, other = callers(role), callers("admin")
    wrong = []
    for (method, path), who in TABLE.items():
        if path == f"{_V1}/session" and method == "POST":
            continue  # it knows nobody yet: test_access_session
        answer = await ask(client, method, path)
        refused = answer.status_code == (403 if role else 401) or answer.headers.get("location", "").startswith(
            "/login"
        )
        by_token = (method, path) == ("POST", f"{_V1}/tokens") and answer.status_code == 403 and role != ""
        if refused == (role in _MAY[who]) and not by_token:
            wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:80]}")
        assert answer.status_code < 500, answer.text
    assert wrong == []
    # The way of asking can be answered at all: what an admin is refused is nothing.
    assert (await ask(other, "GET", f"{_V1}/users")).status_code == 200


async def test_a_page_shows_and_does_nothing_for_who_is_not_known(service: Service, callers: Callers) -> None:
    """What a page shows to those who are, the API decides (`test_web_people`)."""
    seen = 0
    for route in iter_route_contexts(pages(make(service)).routes):
        path = str(route.path).replace("{", "").replace("}", "")
        if path in ("/login", "/static", "/vendor"):
            continue
        for method in (route.methods or set()) - {"HEAD"}:
            answer = await callers("").request(method, path)
            led = answer.status_code == 303 and answer.headers["location"].startswith("/login")
            assert led or answer.status_code == 401, f"{method} {path}: {answer.status_code}"
            seen += 1
    assert seen > 10


class Nothing:
    """Verbs that find nothing, and go nowhere."""

    def __getattr__(self, _verb: str) -> Callable[..., NoReturn]:
        def nothing(**_: object) -> NoReturn:
            raise Refused(404, "there is nothing")

        return nothing


async def ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    body = _BODIES.get(path, {}) if method in ("POST", "PUT") else None
    filled = path.replace("{", "").replace("}", "")
    return await client.request(method, filled, json=body)


async def test_a_session_may_do_what_a_token_may(service: Service, callers: Callers) -> None:
    client = callers("")
    people.add(service, viewer="viewer", operator="operator", admin="admin")
    for role in ("viewer", "operator", "admin"):
        cookie = {"Cookie": f"__Host-bramble={service.sessions.begin(role)}"}
        assert (await client.get(f"{_V1}/clusters", headers=cookie)).status_code == 200
        assert (await client.get(f"{_V1}/users", headers=cookie)).status_code == (200 if role == "admin" else 403)
