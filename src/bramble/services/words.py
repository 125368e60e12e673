"""Lists and mappings as people write them on a command line."""

from __future__ import annotations

import io
import re

from pydantic import BeforeValidator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


def from_text(given: object) -> object:
    """Lists come as such from a cluster file, and with commas between or as YAML from a command line."""
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith(("[", "{")):
        try:
            return YAML(typ="safe").load(io.StringIO(given))
        except YAMLError:
            raise ValueError("not a list or mapping as YAML writes it") from None
    return [word for word in re.split(r"[,\s]+", given) if word]


#: For options that are lists.
Words = BeforeValidator(from_text)
