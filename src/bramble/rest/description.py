"""The service's own description, OpenAPI: what FastAPI makes of the routes, with how one is known and how one fails."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .access.sessions import COOKIE
from .problem import MEDIA_TYPE, Problem

_SCHEMAS = "#/components/schemas/"

#: Operations for which nobody needs to be known.
_OPEN = {"session_begin"}

_TEXT = """
Every command of bramble, for programs: the same names, the same options.

What goes to hosts, or changes something, is a **job**. The answer is `202` with its address; `Prefer: wait=30` waits
for its end, and its `events` tell what happens meanwhile. A change that is asked for twice with the same
`Idempotency-Key` is made once. Errors are problem details (RFC 9457): what, on which host, why, and what to do.
"""

#: Status → when it is answered.
_FAILURES = {
    401: "Nobody is known by this token or session",
    403: "This role may not do that",
    404: "There is nothing of this name",
    409: "Another job has a host of this, and it was not to wait",
    422: "What was asked for is impossible; nothing was changed",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of an application, made once."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=_TEXT.strip(),
            routes=app.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        schemas = found["components"]["schemas"]
        schemas["Problem"] = Problem.model_json_schema(ref_template=_SCHEMAS + "{model}")
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        found["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "bramble tokens create NAME --scope deploy"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        for path, operations in found["paths"].items():
            for operation in operations.values():
                _complete(operation, named="{" in path)
        app.openapi_schema = found
    return app.openapi_schema


@lru_cache(maxsize=8)
def query_of(app: FastAPI) -> dict[str, tuple[str, ...]]:
    """Operation → names of the parameters that may be in its query."""
    return {
        operation["operationId"]: tuple(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
        for operations in app.openapi()["paths"].values()
        for operation in operations.values()
    }


def _complete(operation: dict[str, Any], *, named: bool) -> None:
    """Say who may ask, and how it fails."""
    is_open = operation["operationId"] in _OPEN
    operation["security"] = [] if is_open else [{"token": []}, {"session": []}]
    responses = operation["responses"]
    wanted = {422} | (set() if is_open else {401, 403}) | ({404} if named else set())
    wanted |= {409} if "202" in responses else set()
    for status in sorted(wanted):
        responses[str(status)] = _failure(_FAILURES[status])
    responses["default"] = _failure("Something else went wrong")


def _failure(text: str) -> dict[str, Any]:
    return {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}}
