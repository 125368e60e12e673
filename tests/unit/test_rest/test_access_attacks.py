"""What somebody tries who is not let in, or who wants more than they may."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.unit.test_rest import people
from tests.unit.test_rest.conftest import Callers

from bramble import inventory
from bramble.rest.access.origin import foreign
from bramble.rest.access.sessions import COOKIE
from bramble.rest.service import Service
from bramble.rest.strict import LARGEST

V1 = "/api/v1"


@pytest.fixture
async def stranger(callers: Callers) -> httpx.AsyncClient:
    """Somebody without anything."""
    return callers("")


# Tokens and sessions


async def test_only_the_very_token_is_a_token(service: Service, stranger: httpx.AsyncClient) -> None:
    people.add(service, ada="admin", eve="viewer")
    good = service.tokens.create("good", owner="ada", scope="admin")
    expired = service.tokens.create("expired", owner="ada", scope="admin", seconds=-1)
    revoked = service.tokens.create("revoked", owner="ada", scope="admin")
    service.tokens.revoke("revoked")
    row = service.database.row("SELECT hash FROM tokens WHERE name = 'good'")
    assert row is not None
    other = "x" if good[10] != "x" else "y"
    wrong: dict[str, str | bytes] = {
        "nothing": "Bearer ",
        "no token": "Bearer let me in",
        "expired": f"Bearer {expired}",
        "revoked": f"Bearer {revoked}",
        "a letter changed": f"Bearer {good[:10]}{other}{good[11:]}",
        "wrong checksum": f"Bearer {good[:-1]}{'0' if good[-1] != '0' else '1'}",
        "its hash": f"Bearer {row['hash']}",
        "another way": f"Basic {good}",
        "no way": good,
        "a letter more": f"Bearer {good}0",
        "SQL": "Bearer brm_' OR '1'='1",
        "not ASCII": b"Bearer brm_\xff\xfe",
    }
    for what, header in wrong.items():
        given = header if isinstance(header, bytes) else header.encode()
        answer = await stranger.get(f"{V1}/users", headers={b"Authorization": given})
        assert answer.status_code == 401, what
        assert answer.headers["www-authenticate"] == "Bearer"
        assert good not in answer.text
    # Not in an address, where logs would have it.
    assert (await stranger.get(f"{V1}/users?token={good}&access_token={good}")).status_code in (401, 422)
    assert (await stranger.get(f"{V1}/users", headers={"Authorization": f"bearer {good}"})).status_code == 200


async def test_a_made_up_session_is_none(service: Service, stranger: httpx.AsyncClient) -> None:
    people.add(service, ada="admin")
    service.sessions.begin("ada")
    row = service.database.row("SELECT hash FROM sessions")
    assert row is not None
    for value in ("", "x", "'; --", "a" * 5000, row["hash"]):
        answer = await stranger.get(f"{V1}/users", headers={"Cookie": f"{COOKIE}={value}"})
        assert answer.status_code == 401, value


async def test_another_users_session_gives_what_they_may_and_no_more(
    service: Service, stranger: httpx.AsyncClient
) -> None:
    people.add(service, ada="admin", eve="viewer")
    service.tokens.create("hers", owner="ada", scope="admin")
    headers = {"Cookie": f"{COOKIE}={service.sessions.begin('eve')}", "Sec-Fetch-Site": "same-origin"}
    assert (await stranger.get(f"{V1}/tokens", headers=headers)).json() == []
    for method, path, body in (
        ("DELETE", "/tokens/hers", None),
        ("PUT", "/users/ada", {"password": "a new one for ada", "current": people.PASSWORD}),
        ("PUT", "/users/eve", {"role": "admin"}),
        ("GET", "/audit", None),
    ):
        assert (await stranger.request(method, V1 + path, json=body, headers=headers)).status_code == 403, path
    # A bad token beside a good session is no reason to ask for the session instead.
    both = {**headers, "Authorization": "Bearer brm_x"}
    assert (await stranger.get(f"{V1}/tokens", headers=both)).status_code == 401


# Other sites


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "anything"}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "origin": "https://red:8443"}, True),
        ({"origin": "https://red:8443"}, False),
        ({"origin": "https://RED:8443"}, False),
        ({"origin": "https://red"}, True),
        ({"origin": "http://red:8443"}, True),
        ({"origin": "https://red:8444"}, True),
        ({"origin": "https://red.evil.example:8443"}, True),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "null"}, True),
        ({"origin": "https://red:99999999"}, True),
        ({"origin": ""}, True),
        ({}, False),
        ({"origin": "https://evil.example", "authorization": "Bearer x"}, False),
    ],
)
def test_a_browser_says_where_a_request_comes_from(headers: dict[str, str], refused: bool) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert foreign(method, {"host": "red:8443", **headers}) is refused
    assert not foreign("GET", {"host": "red:8443", **headers})


async def test_another_site_neither_changes_anything_nor_logs_anybody_in(
    service: Service, stranger: httpx.AsyncClient
) -> None:
    people.add(service, ada="admin")
    cookie = {"Cookie": f"{COOKIE}={service.sessions.begin('ada')}"}
    for where in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        headers = {**cookie, **where}
        body = {"name": "eve", "role": "admin", "password": people.PASSWORD}
        assert (await stranger.post(f"{V1}/users", json=body, headers=headers)).status_code == 403
        # As a form sends it, which needs no leave of ours.
        plain = {**headers, "Content-Type": "text/plain"}
        assert (await stranger.post(f"{V1}/users", content=b"{}", headers=plain)).status_code == 403
        assert (await stranger.delete(f"{V1}/session", headers=headers)).status_code == 403
        login = {"name": "ada", "password": people.PASSWORD}
        answer = await stranger.post(f"{V1}/session", json=login, headers=where)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        # Nor may its scripts read anything, or ask whether they may.
        asked = await stranger.options(f"{V1}/users", headers={**where, "Access-Control-Request-Method": "POST"})
        assert not [name for name in asked.headers if name.startswith("access-control")]
    assert [user.name for user in service.users.all()] == ["ada"]
    # A link to a run is followed from anywhere.
    assert (await stranger.get(f"{V1}/users", headers={**cookie, "Sec-Fetch-Site": "cross-site"})).status_code == 200


_CALLED = [
    ("red:8443", True), ("red", True), ("RED:8443", True), ("red.:8443", True), ("127.0.0.1:8443", True),
    ("[::1]:8443", True), ("pi.school.example", True), ("school.example", False), ("a.b.school.example", False),
    ("evil.example", False), ("red.evil.example:8443", False), ("", False), ("red:8443:1", False),
    ("evil@red", False), ("red/evil", False), ("[::2]:8443", False), ("red, evil", False), ("red evil", False),
]  # fmt: skip


async def test_a_name_that_somebody_let_point_here_is_refused(service: Service, stranger: httpx.AsyncClient) -> None:
    service.names = ("Red", "127.0.0.1", "::1", "*.school.example")
    for host, ours in _CALLED:
        answer = await stranger.get(f"{V1}/openapi.json", headers={"Host": host})
        assert answer.status_code == (200 if ours else 421), host


# Paths


_PATHS = [
    "/api/v1/clusters/..%2fsecret",
    "/api/v1/clusters/%2e%2e%2fsecret",
    "/api/v1/clusters/%2e%2e/secret",
    "/api/v1/clusters/../secret",
    "/api/v1/clusters/..%5csecret",
    "/api/v1/clusters/%252e%252e%252fsecret",
    "/api/v1/clusters/secret%00",
    "/api/v1/clusters/%00",
    "/api/v1/clusters/..",
    "/api/v1/clusters/.%2e",
    "/api/v1/clusters/~",
    "/api/v1/clusters/%ff%fe",
    "/api/v1/clusters/a%0d%0aSet-Cookie:%20a=b",
    "/api/v1/runs/..%2f..%2fsecret",
    "/api/v1/runs/%00",
    "/api/v1/jobs/%2e%2e",
    "/api/v1/files/..%2fservice.sqlite",
    "/api/v1/files/%2e%2e%2fservice.sqlite",
    "/api/v1/files/..",
    "/api/v1/files/%00",
    "/api/v1/files/service.sqlite",
    "//api/v1/users",
    "/api/v1//users",
    "/api/v1/users/",
    "/api/v1/users%2f",
    "/API/V1/users",
    "/static/..%2f..%2f..%2fapp.py",
    "/static/%2e%2e/%2e%2e/app.py",
    "/vendor/..%5c..%5capp.py",
    "/static//etc/passwd",
]


async def test_no_path_leads_elsewhere(callers: Callers) -> None:
    """Neither out of a folder nor around the question who asks: for a stranger and for an admin."""
    inventory.folders.clusters().mkdir(parents=True)
    (inventory.folders.clusters().parent / "secret.yaml").write_text("hosts: treasure[01-02]\n")
    for role, statuses in (("", {401, 404, 405, 307, 303}), ("admin", {404, 405, 422, 307, 303})):
        client = callers(role)
        for path in _PATHS:
            url = httpx.URL("https://red:8443").copy_with(raw_path=path.encode())
            answer = await client.send(client.build_request("GET", url))
            assert answer.status_code in statuses, (path, answer.text)
            for treasure in ("treasure", "SQLite format", "argon2", "def make", "root:"):
                assert treasure not in answer.text, path
            assert "a=b" not in answer.headers.get("set-cookie", ""), path


async def test_no_name_in_a_body_leads_elsewhere(callers: Callers) -> None:
    inventory.folders.clusters().mkdir(parents=True)
    (inventory.folders.clusters().parent / "secret.yaml").write_text("hosts: treasure[01-02]\n")
    operator = callers("operator")
    for name in ("../secret", "/etc/passwd", "..", "a\0b", "a\nb", "secret"):
        answer = await operator.post(f"{V1}/artifacts/fetch", json={"service": "slurm", "cluster": name})
        assert answer.status_code in (404, 422), (name, answer.text)
        assert "treasure" not in answer.text


# Bodies


async def test_a_body_that_is_too_large_is_not_read(callers: Callers) -> None:
    admin, read = callers("admin"), [0]

    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"name": "'
        for _ in range(64):
            read[0] += 1
            yield b"x" * 65536

    for body in (b"x" * (LARGEST + 1), chunks()):
        answer = await admin.post(f"{V1}/users", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await admin.get(f"{V1}/users", headers={"Content-Length": "-1"})).status_code == 413
    assert (await admin.get(f"{V1}/users", headers={"X-Large": "x" * 40_000})).status_code == 431


_BODIES = [
    b"", b"{", b"null", b"[]", b"42", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"1" * 6000,
    b'{"name": "a", "name": "b"}', b'{"name": 1, "password": []}', b'{"name": "eve", "password": "\\ud800"}',
    b'{"name": "\\ud800", "password": "four words in a row"}', b'{"name": "a\\u0000b", "password": "x"}',
    b'{"name": "eve", "password": "four words in a row", "admin": true}', b"name=eve&password=x",
    b'{"name": "eve", "password": "four words in a row", "role": "root"}',
    b'{"name": "eve", "password": {"$ne": ""}}', b"\x00" * 100, b'{"name": NaN, "password": Infinity}',
]  # fmt: skip


async def test_a_malformed_body_is_refused(service: Service, callers: Callers) -> None:
    admin = callers("admin")
    for path in ("users", "session"):
        for body in _BODIES:
            answer = await admin.post(f"{V1}/{path}", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 401, 422, 429), (body[:99], answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "four words" not in answer.text  # what was given is not told: it may be a secret
    assert [user.name for user in service.users.all()] == ["admin"]


async def test_json_that_curl_calls_a_form_is_taken_with_a_token_alone(service: Service, callers: Callers) -> None:
    admin, stranger = callers("admin"), callers("")
    form, body = {"Content-Type": "application/x-www-form-urlencoded"}, b'{"role": "viewer"}'
    people.add(service, ada="admin", maria="operator")
    session = {**form, "Cookie": f"{COOKIE}={service.sessions.begin('ada')}"}
    assert (await stranger.put(f"{V1}/users/maria", content=body, headers=session)).status_code == 422
    assert service.users.get("maria").role == "operator"
    assert (await admin.put(f"{V1}/users/maria", content=body, headers=form)).json()["role"] == "viewer"


# Names of hosts


async def test_a_host_is_called_nothing_that_does_harm(callers: Callers) -> None:
    operator, began = callers("operator"), time.monotonic()
    for hosts in ("red\r\nSet-Cookie: a=b", "red\0", "-oProxyCommand=sh", "$(sh)", "red;sh", "red[1-99999999]"):
        put = await operator.put(f"{V1}/clusters/red/services/slurm", json={"hosts": hosts, "dry_run": True})
        add = await operator.post(f"{V1}/clusters/red/hosts", json={"hosts": hosts})
        expand = await operator.get(f"{V1}/hosts/expand", params={"expression": hosts})
        for answer in (put, add, expand):
            assert answer.status_code in (404, 422), (hosts, answer.text)
            assert "set-cookie" not in answer.headers
    assert time.monotonic() - began < 60
    assert not list(inventory.folders.clusters().glob("*"))


async def test_what_a_caller_says_gets_into_no_header(callers: Callers) -> None:
    operator = callers("operator")
    url = httpx.URL("https://red:8443").copy_with(raw_path=b"/api/v1/clusters/a%0d%0aX-Evil:%20b/services/slurm")
    answer = await operator.send(operator.build_request("PUT", url, json={"hosts": "red", "dry_run": True}))
    assert answer.status_code in (404, 422)
    assert "x-evil" not in answer.headers


# Keys of requests


async def test_a_key_with_another_request_is_refused_and_is_each_users_own(callers: Callers) -> None:
    operator, admin = callers("operator"), callers("admin")
    path, asked = f"{V1}/clusters/red/services/slurm", {"hosts": "red,red[01-02]", "dry_run": True, "port": 9}
    key = {"Idempotency-Key": "one"}
    first = await operator.put(path, json=asked, headers=key)
    assert first.status_code == 202, first.text
    assert (await operator.put(path, json=asked, headers=key)).headers["location"] == first.headers["location"]
    other = await operator.put(path, json={**asked, "hosts": "red,red01"}, headers=key)
    assert other.status_code == 422
    secret = await operator.put(path, json={**asked, "sudo_password": "other"}, headers=key)
    assert secret.status_code == 422
    theirs = await admin.put(path, json=asked, headers=key)
    assert theirs.status_code == 202
    assert theirs.headers["location"] != first.headers["location"]


# Headers of answers


async def test_every_answer_has_strict_headers(service: Service, callers: Callers) -> None:
    stranger, admin = callers(""), callers("admin")
    answers = [
        await admin.get(f"{V1}/users"), await stranger.get(f"{V1}/users"), await stranger.get("/nothing/there"),
        await admin.patch(f"{V1}/users"), await admin.post(f"{V1}/users", content=b"{"), await stranger.get("/login"),
        await admin.post(f"{V1}/users", content=b"x" * (LARGEST + 1)),
        await stranger.post(f"{V1}/users", headers={"Sec-Fetch-Site": "cross-site"}),
    ]  # fmt: skip
    service.names = ("blue",)
    answers.append(await stranger.get("/"))
    assert [answer.status_code for answer in answers] == [200, 401, 404, 405, 422, 200, 413, 403, 421]
    for answer in answers:
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        # It would cut off pages of other services on the same host, which have no TLS.
        assert "strict-transport-security" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers
