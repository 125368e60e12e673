"""Values as a service sends them, back as what the verbs return."""

from __future__ import annotations

import collections.abc
import dataclasses
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..engine.report import Report
from ..model import HostSet


def decode(kind: Any, data: Any) -> Any:
    """The value of this type that was written as JSON; fields that this version does not know are left out.

    Raises
    ------
    TypeError, ValueError
        It is not one.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Report:
        return Report.from_json(data)
    if kind is HostSet:
        return HostSet.parse(data) if isinstance(data, str) else HostSet(data)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind) if field.init and field.name in data]
        return kind(**{name: decode(hints[name], data[name]) for name in names})  # type: ignore[operator]
    if origin in (Union, UnionType):
        return None if data is None else decode(next(one for one in inner if one is not NoneType), data)
    if origin is tuple:
        kinds = [inner[0]] * len(data) if inner[1:] == (...,) else inner
        return tuple(decode(one, value) for one, value in zip(kinds, data, strict=True))
    if origin in (collections.abc.Mapping, dict):
        return {name: decode(inner[1], value) for name, value in data.items()}
    return data
