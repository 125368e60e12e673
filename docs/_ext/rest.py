"""The reference of the REST service, from its own description."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bramble.rest.app import make
from bramble.rest.routes import PREFIX
from bramble.rest.service import Service

#: Not told at each route: all jobs take them.
_OF_ALL = {"idempotency-key", "prefer"}


def rest_reference() -> str:
    """Every route, by what it is about: who may ask, what it takes, an example."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        description = make(service).openapi()
        service.database.close()
    sections: dict[str, list[str]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            text = _operation(method.upper(), path, operation, description["components"]["schemas"])
            sections.setdefault(operation.get("tags", ["service"])[0], []).append(text)
    return "\n".join(part for tag, texts in sections.items() for part in (f"## {tag.capitalize()}\n", *texts))


def _operation(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = [f"### {method} {path.removeprefix(PREFIX)}\n", f"`{operation['operationId']}`: {operation['summary']}\n"]
    if operation.get("description") not in (None, operation["summary"]):
        parts.append(_escaped(operation["description"]) + "\n")
    rows = [
        (f"`{one['name']}`", f"in the {one['in']}", one.get("description", ""))
        for one in operation.get("parameters", ())
        if one["name"] not in _OF_ALL
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = schemas.get(body.get("$ref", "").rpartition("/")[2], {})
    required = schema.get("required", ())
    rows += [
        (f"`{name}`", "in the body" + (", required" if name in required else ""), one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    ]
    if rows:
        parts.append("| | | |\n|---|---|---|")
        parts += [f"| {name} | {where} | {_escaped(' '.join(text.split()))} |" for name, where, text in rows]
        parts.append("")
    for example in schema.get("examples", ()):
        parts.append(f"```json\n{json.dumps(example)}\n```\n")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
