"""People log in, stay so for a while, and nobody else gets in by guessing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from tests.unit.test_rest import people
from tests.unit.test_rest.people import PASSWORD

from bramble.errors import UsageError
from bramble.rest.access import sessions, throttle
from bramble.rest.access.passwords import Passwords
from bramble.rest.access.sessions import COOKIE
from bramble.rest.app import make
from bramble.rest.service import Service


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that looks at the service, where there are the users maria and ada."""
    people.add(service, ada="admin", maria="operator")
    headers = {"Sec-Fetch-Site": "same-origin"}
    transport = httpx.ASGITransport(make(service))
    async with httpx.AsyncClient(transport=transport, base_url="https://red:8443/api/v1", headers=headers) as client:
        yield client


async def log_in(browser: httpx.AsyncClient, name: str = "maria", password: str = PASSWORD) -> httpx.Response:
    return await browser.post("/session", json={"name": name, "password": password})


async def test_who_logs_in_is_known_until_they_log_out(browser: httpx.AsyncClient) -> None:
    answer = await log_in(browser)
    assert answer.status_code == 200, answer.text
    assert (await browser.get("/session")).json() == {"name": "maria", "role": "operator", "via": "session"}
    session = browser.cookies[COOKIE]
    assert (await browser.delete("/session")).status_code == 204
    assert COOKIE not in browser.cookies
    # Nor is the number worth anything to who kept it.
    assert (await browser.get("/session", headers={"Cookie": f"{COOKIE}={session}"})).status_code == 401


async def test_the_cookie_is_for_this_host_over_tls_and_not_for_scripts(browser: httpx.AsyncClient) -> None:
    said = (await log_in(browser)).headers["set-cookie"]
    assert {part.strip().lower() for part in said.split(";")[1:]} == {"path=/", "secure", "httponly", "samesite=lax"}


async def test_neither_password_nor_session_is_kept(service: Service, browser: httpx.AsyncClient) -> None:
    await log_in(browser)
    kept = b"".join(path.read_bytes() for path in service.folder.glob("service.sqlite*") if path.is_file())
    assert PASSWORD.encode() not in kept
    assert browser.cookies[COOKIE].encode() not in kept


@pytest.mark.parametrize(("name", "password"), [("maria", "four words in a ro"), ("nobody", PASSWORD), ("maria", "")])
async def test_a_wrong_name_is_answered_as_a_wrong_password_is(
    browser: httpx.AsyncClient, name: str, password: str
) -> None:
    answer = await log_in(browser, name, password)
    assert answer.status_code == 401
    assert answer.json()["title"] == "the name or the password is wrong"
    assert COOKIE not in answer.cookies


async def test_an_unknown_user_costs_the_same_work(
    service: Service, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same hash with the same parameters is computed: timing has nothing to tell."""
    seen: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, hash: str, password: str) -> bool:
        seen.append(hash.rpartition("$")[0].rpartition("$")[0])
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    await log_in(browser, "maria", "wrong and wrong")
    await log_in(browser, "nobody", "wrong and wrong")
    assert len(seen) == 2
    assert seen[0] == seen[1] == "$argon2id$v=19$m=19456,t=2,p=1"


async def test_a_hash_in_another_way_is_made_anew(service: Service, browser: httpx.AsyncClient) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with service.database.change() as change:
        change.execute("UPDATE users SET password = ? WHERE name = 'maria'", (old,))
    assert (await log_in(browser)).status_code == 200
    row = service.database.row("SELECT password FROM users WHERE name = 'maria'")
    assert row is not None
    assert "m=19456,t=2" in row["password"]
    assert (await log_in(browser)).status_code == 200


async def test_the_event_loop_goes_on_while_a_password_is_compared(browser: httpx.AsyncClient) -> None:
    task = asyncio.create_task(log_in(browser))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.002)
        turns += 1
    assert turns > 5


@pytest.mark.parametrize(("column", "age"), [("used", sessions.IDLE), ("created", sessions.WHOLE)])
async def test_a_session_ends_by_itself(service: Service, browser: httpx.AsyncClient, column: str, age: float) -> None:
    await log_in(browser)
    for seconds, status in ((age - 100, 200), (age + 1, 401)):
        with service.database.change() as change:
            change.execute("UPDATE sessions SET used = ?", (time.time(),))
            change.execute(f"UPDATE sessions SET {column} = ?", (time.time() - seconds,))
        assert (await browser.get("/session")).status_code == status


async def test_use_is_noted_and_keeps_a_session(service: Service, browser: httpx.AsyncClient) -> None:
    await log_in(browser)
    with service.database.change() as change:
        change.execute("UPDATE sessions SET used = used - 3600")
    await browser.get("/session")
    row = service.database.row("SELECT used FROM sessions")
    assert row is not None
    assert row["used"] > time.time() - 60


async def test_another_password_or_role_or_no_user_at_all_ends_sessions(
    service: Service, browser: httpx.AsyncClient
) -> None:
    async def password() -> None:
        await service.users.set_password("maria", "four other words in a row")

    async def role() -> None:
        service.users.set_role("maria", "viewer")

    async def removal() -> None:
        service.users.remove("maria")

    for end, known in (
        (password, PASSWORD),
        (role, "four other words in a row"),
        (removal, "four other words in a row"),
    ):
        assert (await log_in(browser, password=known)).status_code == 200
        await end()
        assert (await browser.get("/session")).status_code == 401


async def test_logging_in_again_is_another_session(service: Service, browser: httpx.AsyncClient) -> None:
    """Who planted a session of their own in a browser does not get what is done after logging in."""
    await log_in(browser)
    first = browser.cookies[COOKIE]
    await log_in(browser, "ada")
    assert browser.cookies[COOKIE] != first
    assert service.sessions.principal(first) is None


async def test_guessing_the_password_of_a_user_becomes_slow(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for _ in range(6):
        assert (await log_in(browser, password="a wrong password")).status_code == 401
    waits = []
    for _ in range(3):
        held = await log_in(browser)
        assert held.status_code == 429  # the right one, too: else who guesses would see it at once
        waits.append(int(held.headers["retry-after"]))
        now[0] += waits[-1]
        assert (await log_in(browser, password="a wrong password")).status_code == 401
    assert waits[0] < waits[1] < waits[2]
    assert (await log_in(browser, "ada")).status_code == 200  # another user
    now[0] += 60
    assert (await log_in(browser)).status_code == 200


async def test_tries_at_the_same_moment_are_counted(browser: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(log_in(browser, password="a wrong password") for _ in range(12)))
    assert sum(answer.status_code == 401 for answer in answers) == 6


async def test_guessing_names_from_one_address_becomes_slow(browser: httpx.AsyncClient) -> None:
    answers = [await log_in(browser, f"user{number}", "a wrong password") for number in range(22)]
    assert [answer.status_code for answer in answers].count(429) == 1


def test_a_neighbour_of_ipv6_has_all_addresses_of_a_network() -> None:
    assert throttle.network("2001:db8::1") == throttle.network("2001:db8::ffff") != throttle.network("2001:db9::1")
    assert throttle.network("fe80::1%eth0") == throttle.network("fe80::2")
    assert throttle.network("192.168.1.2") == "192.168.1.2"


async def test_guessing_tokens_becomes_slow_and_a_good_one_never_waits(
    service: Service, browser: httpx.AsyncClient
) -> None:
    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    answers = [await browser.get("/session", headers=bearer(f"brm_{number}")) for number in range(22)]
    assert [answer.status_code for answer in answers].count(429) == 1
    token = service.tokens.create("good", owner="maria", scope="read")
    assert (await browser.get("/session", headers=bearer(token))).status_code == 200


@pytest.mark.parametrize("password", ["short", "x" * 1025, "a" * 20, "mariamaria"])
async def test_a_password_that_is_easy_to_guess_is_refused(service: Service, password: str) -> None:
    with pytest.raises(UsageError):
        await service.users.add("maria", role="viewer", password=password)


async def test_an_accent_typed_in_another_way_is_the_same(service: Service) -> None:
    await service.users.add("ada", role="admin", password="caf\u00e9 caf\u00e9 caf\u00e9")
    assert await service.users.check("ada", "cafe\u0301 cafe\u0301 cafe\u0301") is not None


async def test_no_more_than_two_hashes_take_memory_and_cores_at_the_same_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, lock, counts = Passwords(), threading.Lock(), [0]

    class Hasher:
        def verify(self, *_: Any) -> bool:
            with lock:
                counts.append(counts[-1] + 1)
            time.sleep(0.02)
            with lock:
                counts.append(counts[-1] - 1)
            return True

        def hash(self, *_: Any) -> str:
            return str(self.verify())

    monkeypatch.setattr(made, "_hasher", Hasher())
    await asyncio.gather(*(made.matches(PASSWORD, "x") for _ in range(12)), *(made.hash(PASSWORD) for _ in range(12)))
    assert (len(counts), max(counts)) == (1 + 2 * 24, 2)
