"""The description of the service is complete: others can work with nothing else."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.test_rest.conftest import Callers

from bramble.rest.app import make
from bramble.rest.arguments import of_route
from bramble.rest.examples import EXAMPLES
from bramble.rest.jobs import Job
from bramble.rest.routes import PREFIX, ROUTES, Route
from bramble.rest.service import Service


@pytest.fixture
def description(service: Service) -> dict[str, Any]:
    return make(service).openapi()


def test_every_verb_is_an_operation(description: dict[str, Any]) -> None:
    for route in ROUTES:
        operation = description["paths"][PREFIX + route.path][route.method.lower()]
        assert operation["operationId"] == route.verb


def test_every_operation_says_what_it_answers_and_how_it_fails(description: dict[str, Any]) -> None:
    for operations in description["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            assert operation["summary"], name
            assert operation["tags"] or name.startswith(("session", "users", "tokens", "audit")), name
            answers = operation["responses"]
            for status, answer in answers.items():
                if status == "default" or status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], (name, status)
                elif status not in ("204", "304"):
                    contents = list(answer.get("content", {}).values())
                    assert contents, name
                    assert all(content.get("schema") for content in contents), f"{name} {status} answers anything"
            assert "default" in answers, name
            assert operation["security"] == [] or {"401", "403"} <= set(answers), name


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=lambda route: route.verb)
def test_every_body_has_an_example_that_fits(route: Route) -> None:
    model = of_route(route).model
    if model.model_fields:
        model.model_validate(EXAMPLES[route.verb])


def test_there_is_no_example_of_what_is_not_there() -> None:
    assert {*EXAMPLES} <= {route.verb for route in ROUTES}


async def test_everybody_can_read_it(callers: Callers) -> None:
    assert (await callers("").get("/api/v1/openapi.json")).json()["info"]["title"] == "bramble"


def test_a_client_made_from_it_works(
    description: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, made = tmp_path / "openapi.json", tmp_path / "client"
    written.write_text(json.dumps(description))
    options = ["--meta", "none", "--output-path", str(made), "--overwrite"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(written), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Cannot parse" not in done.stdout + done.stderr
    monkeypatch.syspath_prepend(tmp_path)
    clients = importlib.import_module("client")
    deploy = importlib.import_module("client.api.services.deploy")
    models = importlib.import_module("client.models")

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("PUT", "/api/v1/clusters/red/services/slurm")
        assert request.headers["authorization"] == "Bearer brm_x"
        assert json.loads(request.content) == {"hosts": "red,red[01-02]", "dry_run": True}
        job = Job(id="1", verb="deploy", who="maria", state="running")
        return httpx.Response(202, json=job.to_json())

    client = clients.AuthenticatedClient(
        base_url="https://red:8443", token="brm_x", httpx_args={"transport": httpx.MockTransport(answer)}
    )
    asked = models.DeployRequest.from_dict({"hosts": "red,red[01-02]", "dry_run": True})
    begun = deploy.sync("red", "slurm", client=client, body=asked)
    assert (type(begun).__name__, begun.id, begun.state) == ("ReportJob", "1", "running")
