"""The service is a thin skin: each verb of the API has a route, with the same options."""

from __future__ import annotations

import inspect

import pytest
from tests.unit.test_rest.conftest import Callers

from bramble import api
from bramble.api import Reach
from bramble.rest.arguments import NOT_ASKED, of_route
from bramble.rest.routes import LEFT_OUT, ROUTES, Route


def test_every_verb_has_a_route() -> None:
    verbs = {name for name in api.__all__ if inspect.isfunction(getattr(api, name))} - {"run"}
    assert {route.verb for route in ROUTES} == verbs - set(LEFT_OUT)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.verb)
def test_route_and_verb_have_the_same_options(route: Route) -> None:
    wanted: set[str] = set()
    for parameter in inspect.signature(getattr(api, route.verb)).parameters.values():
        wanted |= set(Reach.__annotations__) if parameter.kind is parameter.VAR_KEYWORD else {parameter.name}
    arguments = of_route(route)
    assert {*arguments.path, *arguments.model.model_fields} == wanted - NOT_ASKED


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.verb)
def test_defaults_are_those_of_the_verb(route: Route) -> None:
    """They are what the description says; what is left out of a request never reaches the verb."""
    arguments = of_route(route)
    for parameter in inspect.signature(getattr(api, route.verb)).parameters.values():
        field = arguments.model.model_fields.get(parameter.name)
        if field is not None:
            usual = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
            assert field.is_required() or field.default == usual, parameter.name
            assert field.is_required() == (parameter.default is parameter.empty), parameter.name
    optional = arguments.model.model_construct()
    assert arguments.call(optional, {}) == {}


async def test_who_does_not_say_who_they_are_gets_nothing(callers: Callers) -> None:
    answer = await callers("").get("/api/v1/clusters")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_a_job_does_is_followed_to_its_end(callers: Callers) -> None:
    asked = {"hosts": "red,red[01-02]", "dry_run": True, "port": 9}
    operator = callers("operator")
    answer = await operator.put("/api/v1/clusters/red/services/slurm", json=asked)
    assert answer.status_code == 202, answer.text
    said = (await operator.get(answer.headers["location"] + "/events")).text
    assert "event: run-started" in said
    ended = (await operator.get(answer.headers["location"])).json()
    assert (ended["state"], ended["hosts"]) == ("failed", ["red", "red01", "red02"])
    assert ended["result"]["exit_code"] == 1
