"""The runner as one blob under its content hash, and the command that starts it on a host."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import zlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable


@dataclass(frozen=True)
class Archive:
    """``text`` is the runner, ``name`` its hash, ``program`` the first lines that a host runs."""

    name: str
    text: bytes
    program: str

    @functools.cached_property
    def data(self) -> bytes:
        """What travels: ``text`` compressed. Most runs need it on no host at all."""
        return zlib.compress(self.text)


@functools.cache
def archive() -> Archive:
    """Pack the runner. The same source gives the same bytes, so a host that has them is not sent them again."""
    files = dict(sorted(_sources(resources.files("bramble.runner"), "")))
    tree = ast.parse(files.pop("bootstrap.py"))
    tree.body = tree.body[1:]  # the docstring is for us; the program stands in the host's process list and log
    text = json.dumps(files).encode()
    return Archive(hashlib.sha256(text).hexdigest()[:16], text, ast.unparse(tree))


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            if item.name != "__pycache__":
                found += _sources(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".py"):
            found.append((prefix + item.name, item.read_text(encoding="utf-8")))
    return found
