"""A file with this content, mode and owner."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any, Optional, Union

from ..journal import FOLDER
from ..secret import Secret, secrets_in
from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from .filesystem import (
    WORLD_READABLE,
    diff,
    differences,
    forget_unfinished,
    ids,
    ids_of,
    look,
    require_ids,
    sync_folder,
    write,
)


@step
class File(Step):
    """A regular file.

    Parameters
    ----------
    path
        Absolute. The folder it lies in is not made: a `Directory` step or a package brings it.
    content
        Text (written as UTF-8), a secret, or a tuple of both that is joined: a configuration with a password in it.
        A content with a secret is never shown.
    mode
        Permission bits, such as ``0o644``.
    owner, group
        Names; they must exist by then (a `User` step or a package brings them).
    """

    path: str
    content: "Union[str, Secret, tuple[Union[str, Secret], ...]]"
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"

    @property
    def _resource(self) -> str:
        return f"File {self.path}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def _bytes(self) -> bytes:
        parts = self.content if isinstance(self.content, tuple) else (self.content,)
        return b"".join(part.reveal() if isinstance(part, Secret) else part.encode() for part in parts)

    def check(self, system: System) -> Answer:
        wanted = self._bytes()
        now = look(system.path(self.path))
        if now is None:
            summary = f"create, {self.mode:04o} {self.owner}:{self.group}"
            if isinstance(ids(self.owner, self.group), Unknown):
                summary += " (once that user is there)"
            return Change(summary, {self._resource: None}, self._diff(b"", wanted, WORLD_READABLE))
        if now["kind"] != "file":
            raise StepError(f"{self.path} is a {now['kind']}, not a file", hint=f"look at it: ls -ld {self.path}")
        content = _read(system.path(self.path))
        found = differences(now, self.mode, self.owner, self.group)
        if content != wanted:
            found.insert(0, "content" + self._edited(system, content))
        if not found:
            return None
        before = {**now, "sha256": _sha256(content)}
        return Change(", ".join(found), {self._resource: before}, self._diff(content, wanted, now["mode"]))

    def _edited(self, system: System, content: bytes) -> str:
        """Tells that somebody changed it since we wrote it: their work is about to be written over, but not lost."""
        recorded = system.recorded.get(self._resource)
        mark = _sha256(content)
        if recorded is None or recorded == mark:
            return ""
        return f" (changed by hand since the last run; that version is kept in {FOLDER}/kept/{mark})"

    def _diff(self, old: bytes, new: bytes, old_mode: int) -> str:
        if secrets_in(self.content) or not old_mode & self.mode & WORLD_READABLE:
            return ""
        return diff(old.decode(errors="replace"), new.decode(), self.path)

    def apply(self, system: System, change: Change) -> None:
        path = system.path(self.path)
        if change.before.get(self._resource) is not None:
            content = _read(path)
            # What we wrote ourselves needs no keeping: only what was there first, or what somebody made of it.
            if _sha256(content) != system.recorded.get(self._resource):
                system.keep(content)
        write(path, self._bytes(), self.mode, *require_ids(self.path, self.owner, self.group))

    def fingerprint(self, system: System) -> Optional[str]:
        return _sha256(_read(system.path(self.path)))

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        record = records[self._resource]
        path = system.path(self.path)
        forget_unfinished(path)
        now = look(path)
        if now is None:
            mark = None
        elif now["kind"] != "file":
            return self._keep(system, f"is a {now['kind']} by now, so it stays")
        else:
            mark = _sha256(_read(path))
        if mark is not None and record.after is not None and mark not in (record.after, _first(record.before)):
            return self._keep(system, "was changed by somebody since, so it stays as it is")
        if record.before is None:
            if now is not None:
                os.unlink(path)
                sync_folder(os.path.dirname(path))
            return None
        if not os.path.isdir(os.path.dirname(path)):
            return f"{self.path} is not put back, because its folder is gone"
        before = record.before
        write(path, system.kept_bytes(before["sha256"]), before["mode"], *ids_of(before))
        return None

    def _keep(self, system: System, why: str) -> str:
        system.kept.append(self.path)
        return f"{self.path} {why}"


def _first(before: "Optional[dict[str, Any]]") -> Optional[str]:
    return None if before is None else str(before["sha256"])


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
