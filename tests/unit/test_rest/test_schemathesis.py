"""The whole service against its own description: schemathesis asks, and no host is reached."""

from __future__ import annotations

import dataclasses
import enum
import functools
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.openapi import from_url

from bramble import api
from bramble.rest.access.throttle import Throttle
from bramble.rest.app import make
from bramble.rest.routes import ROUTES
from bramble.rest.service import Service

#: What goes out on the network is not asked here, nor what looks at this machine's disks.
FAKED = {route.verb for route in ROUTES if route.job} | {"cards_images", "cards_list"}

#: A name that could be one is not yet one that is there; and ``"3"`` is taken for a number, as on the command line.
NOT_ASKED = ["positive_data_acceptance", "negative_data_rejection"]


def sample(kind: Any) -> Any:
    """A value of a type, as small as can be."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return inner[0]
    if origin in (Union, UnionType):
        return None
    if origin in (tuple, Mapping):
        return origin() if origin is tuple else {}
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    if not dataclasses.is_dataclass(kind):
        return kind()
    hints = get_type_hints(kind)
    make: Any = kind
    return make(**{field.name: sample(hints[field.name]) for field in dataclasses.fields(kind)})


def faked(verb: str) -> Any:
    function = getattr(api, verb)
    found = sample(get_type_hints(function)["return"])

    @functools.wraps(function)
    async def fake(**given: Any) -> Any:
        on_begin = given.get("on_begin")
        if on_begin is not None:
            on_begin(("red",))
        return found

    return fake


@pytest.fixture
def address(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Where a service answers in a thread of this process, and an admin's token."""
    for verb in FAKED:
        monkeypatch.setattr(api, verb, faked(verb))
    api.hosts_add("red,red[01-02]", cluster="red")
    ready: list[Any] = []

    def serve() -> None:
        service = Service(home / "service")
        service.guesses = service.tries_from = service.tries_as = Throttle(free=10**6, longest=1)
        with service.database.change() as change:
            change.execute("INSERT INTO users (name, role, password, created) VALUES ('maria', 'admin', '', 0)")
        token = service.tokens.create("all", owner="maria", scope="admin")
        server = uvicorn.Server(uvicorn.Config(make(service), port=0, log_level="critical"))
        ready.extend((server, token))
        server.run()

    thread = threading.Thread(target=serve)
    thread.start()
    while not (ready and ready[0].started):
        assert thread.is_alive()
        time.sleep(0.02)
    (socket,) = ready[0].servers[0].sockets
    yield f"http://127.0.0.1:{socket.getsockname()[1]}", ready[1]
    ready[0].should_exit = True
    thread.join(20)


def test_the_service_does_what_its_description_says(address: tuple[str, str]) -> None:
    url, token = address
    schema = from_url(f"{url}/api/v1/openapi.json")
    headers = {"Authorization": f"Bearer {token}"}
    excluded: Any = CHECKS.get_by_names(NOT_ASKED)
    faults, asked = [], 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @seed(1)
        @given(case=operation.as_strategy() | operation.as_strategy(GenerationMode.NEGATIVE))
        def check(case: schemathesis.Case[Any]) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(headers=headers, excluded_checks=excluded)

        try:
            check()
        except FailureGroup as group:
            faults += [f"{operation.label}: {fault}" for fault in group.exceptions]
    assert not faults, "\n\n".join(faults)
    assert asked > 200
