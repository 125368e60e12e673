"""Users and tokens by REST: who may change whom, and a token that is worth no more than its owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.unit.test_rest import people
from tests.unit.test_rest.people import PASSWORD

from bramble.errors import UsageError
from bramble.rest.access.sessions import COOKIE
from bramble.rest.app import make
from bramble.rest.service import Service

OTHER = "five other words in a row"

#: Method, path, body → what a user's browser is answered.
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def ask(service: Service) -> Ask:
    """Asks as a user who has logged in; there are ada, an admin, maria, an operator, and tom, who sees."""
    people.add(service, ada="admin", maria="operator", tom="viewer")
    sessions = {name: service.sessions.begin(name) for name in ("ada", "maria", "tom")}
    app = make(service)

    async def asked(who: str, method: str, path: str, body: Any = None) -> httpx.Response:
        by_token = {"Authorization": f"Bearer {who}"} if who.startswith("brm_") else {}
        headers = by_token or {"Cookie": f"{COOKIE}={sessions[who]}", "Sec-Fetch-Site": "same-origin"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://red:8443/api/v1") as client:
            return await client.request(method, path, json=body, headers=headers)

    return asked


async def test_an_admin_adds_changes_and_removes_users(service: Service, ask: Ask) -> None:
    new = {"name": "eva", "role": "viewer", "password": OTHER}
    answer = await ask("ada", "POST", "/users", new)
    assert (answer.status_code, answer.json()["role"]) == (201, "viewer")
    assert "argon2" not in answer.text + (await ask("ada", "GET", "/users")).text
    assert (await ask("ada", "PUT", "/users/eva", {"role": "operator"})).json()["role"] == "operator"
    assert (await ask("ada", "PUT", "/users/eva", {"password": PASSWORD})).status_code == 200
    assert await service.users.check("eva", PASSWORD) is not None
    assert (await ask("ada", "DELETE", "/users/eva")).status_code == 204
    assert (await ask("ada", "DELETE", "/users/eva")).status_code == 404
    assert (await ask("ada", "PUT", "/users/tom", {})).status_code == 422


async def test_the_last_admin_stays(ask: Ask) -> None:
    assert (await ask("ada", "DELETE", "/users/ada")).status_code == 422
    assert (await ask("ada", "PUT", "/users/ada", {"role": "viewer"})).status_code == 422
    assert (await ask("ada", "PUT", "/users/maria", {"role": "admin"})).status_code == 200
    assert (await ask("ada", "DELETE", "/users/ada")).status_code == 204


async def test_who_changes_their_own_password_knows_the_one_they_have(service: Service, ask: Ask) -> None:
    for who in ("tom", "ada"):  # an admin, too: else who finds a browser open takes the account
        assert (await ask(who, "PUT", f"/users/{who}", {"password": OTHER})).status_code == 401
        assert (await ask(who, "PUT", f"/users/{who}", {"password": OTHER, "current": "wrong"})).status_code == 401
        changed = await ask(who, "PUT", f"/users/{who}", {"password": OTHER, "current": PASSWORD})
        assert changed.status_code == 200
        assert await service.users.check(who, OTHER) is not None
        assert (await ask(who, "GET", "/session")).status_code == 401  # all sessions are over


async def test_nobody_but_an_admin_changes_others_or_a_role(ask: Ask) -> None:
    for body in ({"password": OTHER}, {"password": OTHER, "current": PASSWORD}, {"role": "viewer"}):
        assert (await ask("maria", "PUT", "/users/tom", body)).status_code == 403
    assert (await ask("maria", "PUT", "/users/maria", {"role": "admin"})).status_code == 403


async def test_a_password_cannot_be_guessed_by_changing_it(ask: Ask) -> None:
    wrong = {"password": OTHER, "current": "wrong"}
    answers = [(await ask("tom", "PUT", "/users/tom", wrong)).status_code for _ in range(8)]
    assert answers.count(429) == 2


async def test_a_token_is_shown_once_and_kept_as_its_hash(service: Service, ask: Ask) -> None:
    made = await ask("maria", "POST", "/tokens", {"name": "ci", "scope": "deploy", "expires": "30d"})
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["owner"], told["expires"] - told["created"]) == ("maria", 30 * 86400)
    assert (await ask(told["token"], "GET", "/session")).json() == {
        "name": "maria", "role": "operator", "via": "token ci",
    }  # fmt: skip
    assert told["token"] not in (await ask("maria", "GET", "/tokens")).text + (await ask("ada", "GET", "/audit")).text
    kept = b"".join(path.read_bytes() for path in service.folder.glob("service.sqlite*"))
    assert told["token"].encode() not in kept
    again = await ask("maria", "POST", "/tokens", {"name": "ci", "scope": "read"})
    assert again.status_code == 422


@pytest.mark.parametrize(("who", "scope"), [("tom", "deploy"), ("tom", "admin"), ("maria", "admin"), ("tom", "ingest")])
async def test_a_token_is_worth_no_more_than_its_owner(ask: Ask, who: str, scope: str) -> None:
    answer = await ask(who, "POST", "/tokens", {"name": "more", "scope": scope})
    assert answer.status_code == 422
    assert f"more than {who} may do" in answer.json()["title"]


async def test_a_token_does_less_when_its_owner_may_do_less(service: Service, ask: Ask) -> None:
    token = service.tokens.create("ci", owner="maria", scope="deploy")
    service.users.set_role("maria", "viewer")
    assert (await ask(token, "GET", "/session")).json()["role"] == "viewer"
    service.users.set_role("maria", "device")
    assert (await ask(token, "GET", "/session")).status_code == 401
    service.users.remove("maria")
    assert (await ask(token, "GET", "/session")).status_code == 401


async def test_a_token_makes_no_tokens(service: Service, ask: Ask) -> None:
    for owner, scope in (("ada", "admin"), ("maria", "deploy")):
        token = service.tokens.create(owner, owner=owner, scope=scope)
        assert (await ask(token, "POST", "/tokens", {"name": "another", "scope": "read"})).status_code == 403


async def test_everybody_sees_and_revokes_their_own_tokens_an_admin_all(service: Service, ask: Ask) -> None:
    hers = service.tokens.create("hers", owner="maria", scope="deploy")
    service.tokens.create("hers2", owner="maria", scope="read")
    service.tokens.create("his", owner="tom", scope="read")
    assert [one["name"] for one in (await ask("tom", "GET", "/tokens")).json()] == ["his"]
    assert len((await ask("ada", "GET", "/tokens")).json()) == 3
    assert (await ask("tom", "DELETE", "/tokens/hers")).status_code == 403
    assert (await ask("tom", "DELETE", "/tokens/no-such")).status_code == 403
    assert (await ask(hers, "DELETE", "/tokens/hers2")).status_code == 403  # a token that leaked takes no others away
    assert (await ask(hers, "DELETE", "/tokens/hers")).status_code == 204
    assert (await ask(hers, "GET", "/session")).status_code == 401
    assert (await ask("ada", "DELETE", "/tokens/his")).status_code == 204


async def test_use_of_a_token_is_noted_once_a_minute(service: Service, ask: Ask) -> None:
    token = service.tokens.create("ci", owner="maria", scope="read")
    assert service.tokens.all()[0].used is None
    await ask(token, "GET", "/session")
    first = service.tokens.all()[0].used
    assert first is not None
    await ask(token, "GET", "/session")
    assert service.tokens.all()[0].used == first
    with service.database.change() as change:
        change.execute("UPDATE tokens SET used = used - 61")
    await ask(token, "GET", "/session")
    assert service.tokens.all()[0].used == pytest.approx(first, abs=30)


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "../x", "a\nb", "a/b", "-a", "<script>"])
async def test_names_that_would_do_harm_elsewhere_are_refused(service: Service, ask: Ask, name: str) -> None:
    assert (await ask("ada", "POST", "/tokens", {"name": name, "scope": "read"})).status_code == 422
    assert (await ask("ada", "POST", "/users", {"name": name, "password": PASSWORD})).status_code == 422
    with pytest.raises(UsageError):
        service.tokens.create(name, owner="ada", scope="read")


@pytest.mark.parametrize("span", ["", "0d", "30", "-1d", "30x", "1e9y", "forever", "99999999d"])
async def test_a_span_that_is_none_is_refused(ask: Ask, span: str) -> None:
    answer = await ask("maria", "POST", "/tokens", {"name": "ci", "scope": "read", "expires": span})
    assert answer.status_code == 422
