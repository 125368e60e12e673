"""What a service says that it can do: its OpenAPI, read by the names of verbs.

So a service and a bramble of other versions get on as far as they have the same verbs, and no table is kept twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from .. import __version__
from ..errors import UsageError

_IN_PATH = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A verb as a request.

    Attributes
    ----------
    method, path
        Names in braces in the path are arguments.
    takes
        All arguments, also those in the path.
    role
        Who may ask for it: this role, and those above it; empty where the service does not say.
    """

    method: str
    path: str
    takes: frozenset[str]
    role: str = ""

    @property
    def in_path(self) -> tuple[str, ...]:
        """Names of the arguments in the path."""
        return tuple(_IN_PATH.findall(self.path))

    def address(self, values: Mapping[str, Any]) -> str:
        """The path with its arguments."""
        return _IN_PATH.sub(lambda found: quote(str(values[found[1]]), safe=""), self.path)


class Description:
    """The description of a service.

    Parameters
    ----------
    document
        Its OpenAPI.
    server
        How the service is called on a command line.
    """

    def __init__(self, document: Mapping[str, Any], server: str) -> None:
        self._document, self._server = document, server

    @cached_property
    def _found(self) -> dict[str, tuple[str, str, Mapping[str, Any]]]:
        return {
            operation.get("operationId", ""): (method.upper(), path, operation)
            for path, methods in self._document.get("paths", {}).items()
            for method, operation in methods.items()
        }

    @property
    def whose(self) -> str:
        """The service and its version, and ours where that is another one."""
        theirs = self._document.get("info", {}).get("version", "of an unknown version")
        return f"{self._server} has bramble {theirs}" + (f", this is {__version__}" if theirs != __version__ else "")

    def operation(self, verb: str) -> Operation:
        """The request for a verb.

        Raises
        ------
        UsageError
            The service does not have it.
        """
        if verb not in self._found:
            raise UsageError(
                f"{self._server} does not do this for others: {verb.replace('_', ' ')}", why=self.whose,
                hint="it works on the machine of the service, or after an upgrade of it",
            )  # fmt: skip
        method, path, operation = self._found[verb]
        named = {one["name"] for one in operation.get("parameters", ()) if one.get("in") in ("path", "query")}
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        takes = frozenset(named | self._properties(content.get("schema", {})))
        return Operation(method=method, path=path, takes=takes, role=operation.get("x-role", ""))

    def check(self, verb: str, values: Mapping[str, Any]) -> None:
        """Refuse arguments that the service does not know.

        Raises
        ------
        UsageError
            It is older than they are.
        """
        unknown = sorted(set(values) - self.operation(verb).takes)
        if unknown:
            raise UsageError(
                f"{self._server} does not know this of {verb.replace('_', ' ')}: {', '.join(unknown)}", why=self.whose,
                hint="leave it out, or bring the service to the same version",
            )  # fmt: skip

    def _properties(self, schema: Mapping[str, Any]) -> set[str]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._properties(self._document.get("components", {}).get("schemas", {}).get(name, {}))
        found = set(schema.get("properties", ()))
        for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
            found |= self._properties(part)
        return found
