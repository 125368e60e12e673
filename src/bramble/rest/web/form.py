"""A service's options as a form, made from its own model: a new option is in the form at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from fastapi import Request
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from ...services import Service

#: What hosts may ask for: it goes along with a form, and is shown in none.
_SUDO = "sudo_password"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One option as it is asked for.

    Attributes
    ----------
    kind
        ``choice``, ``number``, ``text``, ``long`` (a list or the like, as YAML), ``secret`` (what is in a file).
    value
        What it is now, as text.
    usual
        What it is where nobody says anything, as text.
    choices
        All values that it may have.
    help
        What it is for.
    fixed
        Whether it stays as it is while the service is there.
    """

    name: str
    kind: str
    value: str
    usual: str
    help: str = ""
    choices: tuple[str, ...] = ()
    fixed: bool = False


def fields(room: Service, recorded: Mapping[str, Any], given: Mapping[str, str] | None = None) -> tuple[Field, ...]:
    """All options of a service.

    Parameters
    ----------
    recorded
        Those that the cluster file has.
    given
        What somebody just wrote into the form.
    """
    own = {file.option: file for file in room.own_files}
    found = []
    for name, info in room.config.model_fields.items():
        kind, choices = ("secret", ()) if name in own else _kind(info.annotation)
        now = _text(recorded[name]) if name in recorded else usual(info)
        value = "" if kind == "secret" else (given or {}).get(name, now)
        help = " ".join(part for part in (info.description, own[name].hint if name in own else "") if part)
        found.append(
            Field(
                name=name,
                kind=kind,
                value=value,
                usual=usual(info),
                help=help,
                choices=choices,
                fixed=bool(recorded) and (name in room.fixed or (name == "version" and bool(room.versions))),
            )
        )
    return tuple(found)


def of_info(name: str, info: FieldInfo, given: str | None, choices: tuple[str, ...] | None = None) -> Field:
    """One option of a verb, as its route has it.

    Parameters
    ----------
    given
        What somebody wrote already; None for nothing.
    choices
        All values that it may have, where its type does not say.
    """
    kind, found = ("choice", choices) if choices is not None else _kind(info.annotation)
    if info.annotation == list[str] and kind == "long":
        kind = "text"
    value = usual(info) if given is None else given
    help = (info.description or "").replace("`", "")
    if choices is not None:
        value, help = given or next(iter(choices), ""), "One of the service's files; the latest is first."
    return Field(name=name, kind=kind, value=value, usual=usual(info), help=help, choices=found)


def usual(info: FieldInfo) -> str:
    """What an option is where nobody says anything, as text."""
    return "" if info.is_required() else _text(info.get_default(call_default_factory=True))


def options(room: Service, recorded: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """What a filled form asks for: only what is not so already, because all that is given is recorded."""
    wanted: dict[str, Any] = {}
    for field in fields(room, recorded):
        given = form.get(field.name, "").replace("\r\n", "\n").strip()
        if field.name not in form or field.fixed:
            continue
        if field.kind == "secret":
            if given:
                wanted[field.name] = {"content": given + "\n"}
        elif given != field.value.strip():
            emptied = not given and not field.usual and field.kind in ("number", "choice")
            wanted[field.name] = None if emptied else given
    return wanted


async def filled(request: Request) -> dict[str, str]:
    """What somebody wrote into a form, by the names of its fields."""
    return {name: str(value) for name, value in (await request.form()).items()}


def sudo(given: dict[str, str]) -> dict[str, str]:
    """The sudo password of a filled form, as verbs take it; from there it is taken away, so that nothing shows it."""
    password = given.pop(_SUDO, "")
    return {_SUDO: password} if password else {}


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin is Literal:
        return "choice", tuple(_text(one) for one in inner)
    if origin in (Union, UnionType):
        some = [one for one in inner if one is not NoneType]
        kind, choices = _kind(some[0]) if len(some) == 1 else ("text", ())
        return kind, ("", *choices) if kind == "choice" else choices
    if annotation is bool:
        return "choice", ("true", "false")
    if annotation in (int, float):
        return "number", ()
    return ("text", ()) if annotation is str else ("long", ())


def _text(value: Any) -> str:
    """A value as a person writes it; JSON for lists, which is YAML as well."""
    if value is None or value in ((), [], {}, ""):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(to_jsonable_python(value), ensure_ascii=False)
