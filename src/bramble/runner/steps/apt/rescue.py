"""Files that somebody edited, carried past the purge of the package they belong to.

They are copied beside the journal and noted there first, so that a cut in the middle of the purge loses none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Optional

from ...system import System
from ..filesystem import ids_of, look, write
from . import brought, status
from .brought import Brought


def set_aside(system: System, known: Brought, going: "Iterable[str]") -> "list[str]":
    """Copy what must outlive the purge of ``going``; says which files these are, unless an undo said so before."""
    edited = _edited(system, known, set(going))
    found = []
    for path in sorted({*edited, *system.kept}):
        real = system.path(path)
        now = look(real)
        if now is None or now["kind"] != "file":
            continue
        with open(real, "rb") as file:
            kept = system.keep(file.read())
        folder = look(os.path.dirname(real))
        found.append({**now, "path": path, "sha256": kept, "folder": folder})
    if not found:
        return []
    known.rescued = found
    brought.save(system, known)
    news = [path for path in edited if path not in system.kept]
    system.kept += news
    return [f"{path} was changed by somebody, so it stays" for path in news]


def put_back(system: System, known: Brought) -> None:
    """Write back what the purge took, and only that."""
    if not known.rescued:
        return
    for before in known.rescued:
        real = system.path(before["path"])
        if os.path.lexists(real):
            continue
        folder = os.path.dirname(real)
        if not os.path.isdir(folder):
            os.makedirs(folder)
            os.chown(folder, *ids_of(before["folder"]))
            os.chmod(folder, before["folder"]["mode"])
        write(real, system.kept_bytes(before["sha256"]), before["mode"], *ids_of(before))
    known.rescued = []
    brought.save(system, known)


def _edited(system: System, known: Brought, going: "set[str]") -> "list[str]":
    """Configuration of ``going`` that is not as it was delivered, or as a maintainer script made it."""
    here = status.installed(system)
    found = []
    for name in sorted(going & set(here)):
        for path, delivered in here[name].configuration:
            if _md5(system.path(path)) not in (delivered, None):
                found.append(path)
    for batch in known.batches:
        if going & set(batch.packages):
            for path, written in batch.written.items():
                if os.path.isfile(system.path(path)) and brought.content_hash(system, path) != written:
                    found.append(path)
    return found


def _md5(path: str) -> Optional[str]:
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return hashlib.md5(file.read()).hexdigest()  # noqa: S324  (dpkg's choice; it tells edits, not attacks)
