"""Sizes of files, as people write them: ``8G``."""

from __future__ import annotations

from pydantic import ByteSize, TypeAdapter, ValidationError

from ..errors import UsageError

_READ = TypeAdapter(ByteSize)


def read(text: str) -> int:
    """Bytes of a size: ``500M``, ``8GB``, ``8GiB``.

    Raises
    ------
    UsageError
        It is none, or has no unit.
    """
    try:
        found = int(_READ.validate_python(text))
    except ValidationError:
        found = 0
    if found < 1000:  # a number alone is meant to be something else than bytes
        raise UsageError(f"{text!r} is no size of a file", hint="a number and its unit: 500M, 8G, 1T")
    return found
