"""Steps and secrets as JSON, both ways."""

from __future__ import annotations

import base64
from typing import Any, Optional

from . import steps
from .dataclass import fields
from .step import STEP_TYPES, Step, fields_of


class Secret:
    """Bytes that never print, log, diff or reach a process list.

    On the controller a plan carries only the ``name`` (``slurm/munge.key``) and how many random bytes to make if the
    cluster has none yet; the engine fills in the ``value`` when the step is sent.

    Parameters
    ----------
    name
        Where it is kept, relative to the cluster's folder of secrets.
    size
        Length in bytes of a secret that is generated; 0 for one that must exist.
    text
        Generate printable characters (URL-safe base64) instead of raw bytes.
    """

    __slots__ = ("_value", "name", "size", "text")

    def __init__(self, name: str, *, size: int = 32, text: bool = False, value: Optional[bytes] = None) -> None:
        self.name = name
        self.size = size
        self.text = text
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.name, self.size, self.text) == (other.name, other.size, other.text)

    def __hash__(self) -> int:
        return hash((self.name, self.size, self.text))

    @property
    def known(self) -> bool:
        """Whether the value has been filled in."""
        return self._value is not None

    def reveal(self) -> bytes:
        """The value. Call it only at the place that needs it.

        Raises
        ------
        ValueError
            It was never filled in.
        """
        if self._value is None:
            raise ValueError(f"the secret {self.name} has no value here")
        return self._value

    def filled(self, value: bytes) -> "Secret":
        """The same secret with its value."""
        return Secret(self.name, size=self.size, text=self.text, value=value)


def encode(step: Step, *, reveal: bool = False) -> "dict[str, Any]":
    """A step as JSON values. Secrets go along only with ``reveal``, which is for the connection alone."""
    return {"type": type(step).__name__, **{k: _encode(v, reveal) for k, v in fields_of(step).items()}}


def _encode(value: Any, reveal: bool) -> Any:
    if isinstance(value, Secret):
        secret: dict[str, Any] = {"$secret": value.name, "size": value.size, "text": value.text}
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
            return Secret(value["$secret"], size=value["size"], text=value["text"], value=filled)
        return {k: _decode(v) for k, v in value.items()}
    return value


def secrets_in(value: Any) -> "list[Secret]":
    """All secrets a step holds, at any depth."""
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, Step):
        return [s for item in fields_of(value).values() for s in secrets_in(item)]
    if isinstance(value, (tuple, list)):
        return [s for item in value for s in secrets_in(item)]
    if isinstance(value, dict):
        return [s for item in value.values() for s in secrets_in(item)]
    return []


def with_secrets(step: Step, values: "dict[str, bytes]") -> Step:
    """The same step, its secrets filled in by name."""

    def fill(value: Any) -> Any:
        if isinstance(value, Secret):
            return value.filled(values[value.name])
        if isinstance(value, (tuple, list)):
            return tuple(fill(item) for item in value)
        if isinstance(value, dict):
            return {k: fill(v) for k, v in value.items()}
        return value

    return type(step)(**{k: fill(v) for k, v in fields_of(step).items()})
