"""A file that was brought to the host, in its place."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System
from ..transfer import CHUNK, require_arrived
from .filesystem import forget_unfinished, look, missing_folder, sync_folder, unfinished


@step
class Artifact(Step):
    """A file of the plan's artifacts, of which the engine has brought this host's copy.

    Parameters
    ----------
    artifact
        Name of the artifact in the plan.
    path
        Absolute. The folder it lies in is not made.
    mode
        Permission bits. It belongs to root.
    sha256, size
        Of its content: filled in by the engine. Without a hash (the controller has it not at hand, and only looks),
        what was put there last is in order.
    """

    artifact: str
    path: str
    mode: int = 0o755
    sha256: str = ""
    size: int = 0

    @property
    def _resource(self) -> str:
        return f"Artifact {self.path}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        now = look(system.path(self.path))
        if now is None:
            return Change(f"create, {self.mode:04o} root:root", {self._resource: None})
        if now["kind"] != "file":
            raise StepError(f"{self.path} is a {now['kind']}, not a file", hint=f"look at it: ls -ld {self.path}")
        if self._resource not in system.recorded:
            raise StepError(
                f"{self.path} is there already, and bramble did not put it there",
                why="it belongs to something else, which would break",
                hint=f"if nothing needs it, move it away: sudo mv {self.path} {self.path}.old",
            )
        found = []
        last = _last(system, self)
        wanted = self.sha256 or last
        content = _content(system, self.path, system.recorded[self._resource])
        if content != wanted:
            # Another version is no news; what was changed here is.
            found.append(f"its SHA-256 is {content}, and must be {wanted}" if wanted == last else "content")
        if now["mode"] != self.mode:
            found.append(f"mode {now['mode']:04o} → {self.mode:04o}")
        return Change(", ".join(found), {self._resource: None}) if found else None

    def apply(self, system: System, change: Change) -> None:
        brought = require_arrived(self.artifact, self.sha256)
        path = system.path(self.path)
        if not os.path.isdir(os.path.dirname(path)):
            raise missing_folder(self.path)
        forget_unfinished(path)
        try:
            os.link(brought, unfinished(path))
        except OSError:  # another file system
            shutil.copyfile(brought, unfinished(path))
            with open(unfinished(path), "rb") as copy:
                os.fsync(copy.fileno())
        os.chown(unfinished(path), 0, 0)
        os.chmod(unfinished(path), self.mode)
        os.replace(unfinished(path), path)
        sync_folder(os.path.dirname(path))

    def fingerprint(self, system: System) -> Optional[str]:
        return f"{self.sha256} {_stamp(system.path(self.path))}"

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        path = system.path(self.path)
        forget_unfinished(path)
        record = records[self._resource]
        now = look(path)
        if now is None:
            return None
        if now["kind"] != "file" or (
            record.after is not None and _content(system, self.path, record.after) != record.after.split()[0]
        ):
            system.kept.append(self.path)
            return f"{self.path} was changed by somebody since, so it stays as it is"
        os.unlink(path)
        sync_folder(os.path.dirname(path))
        return None


def _last(system: System, step: Artifact) -> str:
    return (system.recorded.get(step.resources()[0]) or " ").split(" ")[0]


def _stamp(path: str) -> str:
    found = os.stat(path)
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _content(system: System, path: str, recorded: Optional[str]) -> str:
    """The hash of a file. One that nobody touched since it was put there is not read again: it may be large."""
    place = system.path(path)
    if recorded and recorded.partition(" ")[2] == _stamp(place):
        return recorded.split()[0]
    total = hashlib.sha256()
    with contextlib.suppress(FileNotFoundError), open(place, "rb") as file:
        for data in iter(lambda: file.read(CHUNK), b""):
            total.update(data)
    return total.hexdigest()
