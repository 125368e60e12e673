"""What a route takes, made from the signature of its verb, so that the two cannot differ."""

from __future__ import annotations

import collections.abc
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model

from .. import api
from ..api import Reach
from ..runner.secret import Secret
from .examples import EXAMPLES
from .routes import Route

#: Of `Reach`, what a caller of the service cannot say: files of its machine, and what only a program can give.
NOT_ASKED = {"key", "on_event", "on_begin", "next_cards", "lines"}

_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The arguments of a verb, by where they come from.

    Attributes
    ----------
    path
        Names of those in the path.
    model
        Of those in the body, or in the query; it forbids any other.
    secret
        Names of those that are secrets: they are never kept.
    """

    path: tuple[str, ...]
    model: type[BaseModel]
    secret: frozenset[str]

    def call(self, given: BaseModel, path: Mapping[str, str]) -> dict[str, Any]:
        """Keyword arguments for the verb: what was given, and no more."""
        values = {name: getattr(given, name) for name in given.model_fields_set}
        return {name: _revealed(name, value) for name, value in values.items()} | dict(path)

    def shown(self, given: BaseModel, path: Mapping[str, str]) -> dict[str, Any]:
        """The same as JSON, for people and for asking again: without secrets."""
        values = given.model_dump(mode="json", include=given.model_fields_set - self.secret)
        return {**values, **path}


@cache
def of_route(route: Route) -> Arguments:
    """What a route takes."""
    function = getattr(api, route.verb)
    path = tuple(_PATH_PARAMETER.findall(route.path))
    described = _described(function.__doc__ or "") | _described(Reach.__doc__ or "")
    fields: dict[str, Any] = {}
    secret = set()
    for name, (annotation, default) in _parameters(function).items():
        if name in path or name in NOT_ASKED:
            continue
        kind = _asked(annotation)
        if kind in (SecretStr, SecretStr | None):
            secret.add(name)
        usual = list(default) if isinstance(default, tuple) else default
        fields[name] = (kind, Field(usual, description=described.get(name, "")))
    title = "".join(word.capitalize() for word in route.verb.split("_")) + "Request"
    more: Any = {"examples": [EXAMPLES[route.verb]]} if route.verb in EXAMPLES else None
    model = create_model(title, __config__=ConfigDict(extra="forbid", json_schema_extra=more), **fields)
    return Arguments(path=path, model=model, secret=frozenset(secret))


def _parameters(function: Any) -> dict[str, tuple[Any, Any]]:
    """Each parameter's type and default (``...`` for none); the options of `Reach` in place of ``**reach``."""
    hints = get_type_hints(function)
    found: dict[str, tuple[Any, Any]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            # Left out, each is what the verb takes it to be.
            found |= {option: (kind | None, None) for option, kind in get_type_hints(Reach).items()}
        else:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            found[name] = (hints[name], default)
    return found


def _asked(annotation: Any) -> Any:
    """The type of a parameter as a request has it: lists for sequences, text for secrets."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is Secret:
        return SecretStr
    if origin in (Union, UnionType):
        kinds = [_asked(one) for one in inner]
        return Union[tuple(kinds)]  # noqa: UP007 — of kinds that are known when it runs
    if origin in (collections.abc.Iterable, collections.abc.Sequence, collections.abc.Collection):
        return list[inner[0]]  # type: ignore[valid-type]
    if origin is collections.abc.Mapping:
        return dict[inner[0], Any if inner[1] is object else inner[1]]  # type: ignore[valid-type,misc]
    return annotation


def _revealed(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr):
        return Secret(name.replace("_", " "), value=value.get_secret_value().encode("utf-8", "surrogatepass"))
    return value


def _described(docstring: str) -> dict[str, str]:
    """Name → text, of the parameters or attributes that a docstring in numpydoc's form describes."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(docstring).splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")] if re.fullmatch(r"\w+(, \w+)*", line) else []
        elif names and line.strip():
            for name in names:
                found[name] = f"{found[name]} {line.strip()}" if name in found else line.strip()
    return found
