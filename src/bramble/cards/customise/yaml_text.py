"""Values as YAML that every reader takes for the same."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString


def mapping(data: Mapping[str, Any]) -> str:
    """A mapping in its own order, a block each.

    Texts stand in quotes, always: cloud-init reads YAML 1.1, for which ``NO`` is false, ``22:30`` a sexagesimal number,
    and a key of 64 digits one, too. Those that end their last line are blocks.
    """
    yaml = YAML()
    yaml.default_flow_style = False
    # Lines are never broken: a public key is long, and cut off at some line's end it is none.
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(_quoted(data), out)
    return out.getvalue()


def text(value: str) -> str:
    """A text in quotes, for the keys of a mapping that are no words of ours."""
    quoted: str = DoubleQuotedScalarString(value)
    return quoted


def _quoted(value: Any) -> Any:
    if isinstance(value, str):
        return LiteralScalarString(value) if value.endswith("\n") else text(value)
    if isinstance(value, Mapping):
        return {key: _quoted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_quoted(each) for each in value]
    return value
