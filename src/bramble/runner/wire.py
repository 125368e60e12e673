"""Steps, with the secrets they hold, as JSON and back."""

from __future__ import annotations

import base64
from typing import Any

from . import steps
from .dataclass import fields
from .secret import Secret
from .step import STEP_TYPES, Step, fields_of


def encode(step: Step, *, reveal: bool = False) -> "dict[str, Any]":
    """A step as JSON values. Secrets go along only with ``reveal``, which is for the connection alone."""
    return {"type": type(step).__name__, **{k: _encode(v, reveal) for k, v in fields_of(step).items()}}


def _encode(value: Any, reveal: bool) -> Any:
    if isinstance(value, Secret):
        secret: dict[str, Any] = {"$secret": value.name, "size": value.size, "form": value.form}
        if value.names:
            secret["names"] = list(value.names)
        if reveal:
            secret["value"] = base64.b64encode(value.reveal()).decode()
        return secret
    if isinstance(value, Step):
        return encode(value, reveal=reveal)
    if isinstance(value, (tuple, list)):
        return [_encode(item, reveal) for item in value]
    if isinstance(value, dict):
        return {str(k): _encode(v, reveal) for k, v in value.items()}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"a step cannot hold a {type(value).__name__}")


def decode(data: "dict[str, Any]") -> Step:
    """The step that `encode` wrote.

    Fields that this version does not know are passed over, so that a journal of another version can still be undone.

    Raises
    ------
    ValueError
        The type of step is unknown here.
    """
    name = data.get("type", "")
    if name in steps.__all__:
        getattr(steps, name)  # importing it registers it
    kind = STEP_TYPES.get(name)
    if kind is None:
        raise ValueError(f"unknown step type {name!r}")
    names = fields(kind)
    return kind(**{k: _decode(v) for k, v in data.items() if k in names})


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    if isinstance(value, dict):
        if "$secret" in value:
            raw = value.get("value")
            filled = None if raw is None else base64.b64decode(raw)
            form, names = value.get("form", "bytes"), tuple(value.get("names", ()))
            return Secret(value["$secret"], size=value["size"], form=form, names=names, value=filled)
        return {k: _decode(v) for k, v in value.items()}
    return value
