"""Every page for every role: who may not change something by the API may not do it by a page either."""

from __future__ import annotations

import re

from fastapi.routing import APIRoute
from tests.unit.test_rest.conftest import Callers
from tests.unit.test_rest.web import with_a_past

from bramble.rest.app import make
from bramble.rest.service import Service

JOB = "20260103-100000-0000000c"

#: Pages that only show something → who may see them; a new one is entered here.
SEEN = {
    "/": "viewer", "/clusters/red": "viewer", "/clusters/red/hosts/red": "viewer",
    "/clusters/red/services/slurm": "viewer", "/jobs": "viewer", f"/jobs/{JOB}": "viewer", "/runs": "viewer",
    "/runs/20260101-100000-aaaa": "viewer", "/account": "device", "/tokens": "device", "/users": "admin",
    "/audit": "admin", "/files": "operator", "/images": "viewer", "/clusters/red/do/poweroff": "operator",
}  # fmt: skip

#: One that asks a host, which none of these tests has.
ASKS_HOSTS = {"/clusters/red/hosts/red/load"}

#: What changes something → the least role that may; what everybody may do of their own is not among them.
CHANGED = {
    "/clusters": "operator", "/clusters/red/hosts": "operator", "/clusters/red/do/trust": "admin",
    "/clusters/red/services/slurm/deploy": "operator", "/clusters/red/services/slurm/verify": "operator",
    "/clusters/red/services/slurm/remove": "operator", f"/jobs/{JOB}/apply": "operator",
    f"/jobs/{JOB}/cancel": "operator", f"/jobs/{JOB}/again": "operator", "/users": "admin",
    "/users/admin/role": "admin", "/users/admin/remove": "admin", "/files": "operator", "/files/a/remove": "operator",
}  # fmt: skip
OWN = {"/logout", "/account", "/tokens", "/tokens/none/revoke"}

ORDER = ["device", "viewer", "operator", "admin"]


def _all(service: Service, method: str) -> list[re.Pattern[str]]:
    pages = make(service).router.default
    routes = [one for one in pages.routes if isinstance(one, APIRoute)]  # type: ignore[attr-defined]
    return [one.path_regex for one in routes if method in (one.methods or ()) and one.path != "/login"]


def test_every_page_is_in_the_tables(service: Service) -> None:
    for method, told in {"GET": {*SEEN, *ASKS_HOSTS}, "POST": {*CHANGED, *OWN}}.items():
        for path in _all(service, method):
            assert any(path.fullmatch(one) for one in told), path.pattern


async def test_a_stranger_sees_the_login_alone(service: Service, callers: Callers) -> None:
    with_a_past(service)
    stranger = callers("")
    for path in (*SEEN, *ASKS_HOSTS):
        answer = await stranger.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login"), path
    for path in (*CHANGED, *OWN):
        answer = await stranger.post(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path


async def test_who_may_look_looks(service: Service, callers: Callers) -> None:
    with_a_past(service)
    for role in ORDER:
        caller = callers(role)
        for path, least in SEEN.items():
            wanted = 200 if ORDER.index(role) >= ORDER.index(least) else 403
            assert (await caller.get(path)).status_code == wanted, (role, path)


async def test_who_may_not_change_changes_nothing(service: Service, callers: Callers) -> None:
    with_a_past(service)
    for role in ORDER:
        caller = callers(role)
        for path, least in CHANGED.items():
            if ORDER.index(role) < ORDER.index(least):
                answer = await caller.post(path, data={"cluster": "blue", "hosts": "blue", "role": "viewer"})
                assert answer.status_code == 403, (role, path, answer.text)
