"""A folder with all that an archive holds, which was brought to the host."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System
from ..transfer import require_arrived
from .filesystem import look, missing_folder, sync_folder, unfinished
from .unpacking import unpack

#: In the folder: the archive's hash, and what each file was like when it was unpacked.
NOTE = ".bramble-tree"

#: What Python leaves beside modules that somebody ran: no news, and no use without them.
_BYTECODE = "__pycache__"

#: Names that are shown in a message; the rest is counted.
SHOWN = 3


@step
class Tree(Step):
    """What an archive of the plan's artifacts holds, unpacked, of which the engine has brought this host's copy.

    It is unpacked beside its place and then given its name, so nobody ever sees a half of it. Everything in it belongs
    to root and can be read by everybody. Files that somebody puts in later do not matter, and are never taken away.

    Parameters
    ----------
    artifact
        Name of the artifact in the plan: a tar archive, also compressed. Where all of it lies in one folder, that one
        is left out.
    path
        Absolute. The folder it lies in is not made.
    sha256, size
        Of the archive: filled in by the engine. Without a hash (the controller has it not at hand, and only looks),
        what was put there last is in order.
    """

    artifact: str
    path: str
    sha256: str = ""
    size: int = 0

    @property
    def _resource(self) -> str:
        return f"Tree {self.path}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        path = system.path(self.path)
        now = look(path)
        if now is None:
            return Change("unpack", {self._resource: None})
        if now["kind"] != "directory":
            raise StepError(f"{self.path} is a {now['kind']}, not a directory", hint=f"look at it: ls -ld {self.path}")
        note = _note(path)
        if note is None and self._resource not in system.recorded:
            raise StepError(
                f"{self.path} is there already, and bramble did not put it there",
                why="it belongs to something else, which would break",
                hint=f"if nothing needs it, move it away: sudo mv {self.path} {self.path}.old",
            )
        if note is None or (self.sha256 and note["sha256"] != self.sha256):
            return Change("unpack anew", {self._resource: None})
        changed = [name for name, mark in note["files"].items() if _mark(os.path.join(path, name)) != mark]
        return Change(f"{_some(changed)} changed: unpack anew", {self._resource: None}) if changed else None

    def apply(self, system: System, change: Change) -> None:
        brought = require_arrived(self.artifact, self.sha256)
        path = system.path(self.path)
        if not os.path.isdir(os.path.dirname(path)):
            raise missing_folder(self.path)
        self._require_only_ours(path)
        self._forget_halves(path)
        try:
            new = unfinished(path)
            unpack(system, brought, new)
            files = {name: _mark(os.path.join(new, name)) for name in _files(new)}
            with open(os.path.join(new, NOTE), "w", encoding="utf-8") as note:
                json.dump({"sha256": self.sha256, "files": files}, note, indent=0, sort_keys=True)
                note.flush()
                os.fsync(note.fileno())
            if os.path.lexists(path):
                os.rename(path, _former(path))
            os.rename(new, path)
            sync_folder(os.path.dirname(path))
        finally:
            self._forget_halves(path)

    def fingerprint(self, system: System) -> Optional[str]:
        return self.sha256

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        path = system.path(self.path)
        self._forget_halves(path)
        if not os.path.isdir(path) or os.path.islink(path):
            return None
        note = _note(path) or {"files": {}}
        for name, mark in note["files"].items():
            if _mark(os.path.join(path, name)) == mark:
                os.unlink(os.path.join(path, name))
        left = list(_files(path))
        _remove_empty(path, keep_note=bool(left))
        sync_folder(os.path.dirname(path))
        if not left:
            return None
        system.kept.append(self.path)
        return f"{self.path}: {_some(left)} put there or changed by somebody since, so it stays"

    def _require_only_ours(self, path: str) -> None:
        """Whoever put something in beside ours must not lose it to another version."""
        known = (_note(path) or {"files": {}})["files"]
        foreign = [name for name in _files(path) if name not in known]
        if foreign:
            raise StepError(
                f"{self.path} is to be unpacked anew, and holds what bramble did not put there: {_some(foreign)}",
                hint=f"move it elsewhere, then run the same again: ls -l {os.path.join(self.path, foreign[0])}",
            )

    def _forget_halves(self, path: str) -> None:
        """Take away what a cut, or the version before, left beside."""
        if not os.path.lexists(path) and os.path.lexists(_former(path)):
            os.rename(_former(path), path)  # cut between two names
        for half in (unfinished(path), _former(path)):
            if os.path.lexists(half):
                shutil.rmtree(half)


def _former(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.bramble-old")


def _note(path: str) -> "Optional[dict[str, Any]]":
    try:
        with open(os.path.join(path, NOTE), encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
            return found
    except (OSError, ValueError):
        return None  # a folder without one is not ours, or somebody spoilt it: the caller tells


def _files(path: str) -> "Iterator[str]":
    """Everything in a tree that is no folder, but our note and Python's leavings, relative to it."""
    for folder, folders, names in os.walk(path):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(set(folders) - {_BYTECODE})
        for name in sorted([*names, *links]):
            relative = os.path.relpath(os.path.join(folder, name), path)
            if relative != NOTE:
                yield relative


def _mark(path: str) -> str:
    """What shows that nobody touched a file or link since; empty where it is gone."""
    try:
        found = os.lstat(path)
        if os.path.islink(path):
            return f"-> {os.readlink(path)}"
    except OSError:
        return ""
    return f"{found.st_size} {int(found.st_mtime)} {found.st_mode & 0o7777:04o}"


def _remove_empty(path: str, *, keep_note: bool) -> None:
    for folder, folders, _ in os.walk(path, topdown=False):
        if _BYTECODE in folders:
            shutil.rmtree(os.path.join(folder, _BYTECODE))
        if folder == path and not keep_note and os.path.exists(os.path.join(path, NOTE)):
            os.unlink(os.path.join(path, NOTE))
        if not os.listdir(folder):
            os.rmdir(folder)


def _some(names: "Iterable[str]") -> str:
    """The first of some names, and whether that was one: ``a, b were``."""
    found = sorted(names)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{', '.join(found[:SHOWN])}{more} {'was' if len(found) == 1 else 'were'}"
