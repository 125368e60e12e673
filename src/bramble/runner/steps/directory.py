"""A directory with this mode and owner."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from .filesystem import differences, ids, ids_of, look, missing_folder, require_ids

#: In a directory whose data stayed when its service left: that it is bramble's, also for a removal in later times.
KEPT = ".bramble-kept"


@step
class Directory(Step):
    """A directory. Those above it are not made: each needs a step or package of its own, with its own mode.

    Parameters
    ----------
    path
        Absolute.
    mode
        Permission bits, such as ``0o755``.
    owner, group
        Names; they must exist by then.
    data
        It holds what the service's users value. Then it stays when the service leaves, unless data may go
        (``--purge``). Without this mark, a directory is taken away only when it is empty.
    scratch
        All that lies in it comes from the service and means nothing without it (logs, caches, sockets), so it is taken
        away with its content.

    Raises
    ------
    ValueError
        ``data`` and ``scratch`` at once.
    """

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"
    data: bool = False
    scratch: bool = False

    def __post_init__(self) -> None:
        if self.data and self.scratch:
            raise ValueError(f"{self.path} is either data or scratch")

    @property
    def _resource(self) -> str:
        return f"Directory {self.path}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        now = look(system.path(self.path))
        if now is None:
            summary = f"create, {self.mode:04o} {self.owner}:{self.group}"
            if isinstance(ids(self.owner, self.group), Unknown):
                summary += " (once that user is there)"
            return Change(summary, {self._resource: None})
        if now["kind"] != "directory":
            raise StepError(f"{self.path} is a {now['kind']}, not a directory", hint=f"look at it: ls -ld {self.path}")
        if self.data and self._resource not in system.recorded and os.path.lexists(self._mark(system)):
            return Change("take over what was kept", {self._resource: None})
        found = differences(now, self.mode, self.owner, self.group)
        return Change(", ".join(found), {self._resource: now}) if found else None

    def _mark(self, system: System) -> str:
        return os.path.join(system.path(self.path), KEPT)

    def apply(self, system: System, change: Change) -> None:
        path = system.path(self.path)
        uid, gid = require_ids(self.path, self.owner, self.group)
        if change.before.get(self._resource) is None and not os.path.isdir(path):
            if not os.path.isdir(os.path.dirname(path)):
                raise missing_folder(self.path)
            os.mkdir(path, 0o700)
        os.chown(path, uid, gid)
        os.chmod(path, self.mode)
        if self.data and os.path.lexists(self._mark(system)):
            os.unlink(self._mark(system))

    def fingerprint(self, system: System) -> Optional[str]:
        return f"{self.mode:04o} {self.owner}:{self.group}"

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        record = records[self._resource]
        before = record.before
        path = system.path(self.path)
        now = look(path)
        if now is None:
            return None
        if now["kind"] != "directory":
            return f"{self.path} is a {now['kind']} by now, so it stays"
        if before is None:
            return self._remove(system, path)
        if now == before:
            return None
        # Without a fingerprint, the change was cut half-way: what is there is neither theirs nor quite ours.
        if record.after is not None and differences(now, self.mode, self.owner, self.group):
            return f"{self.path} has another mode or owner than bramble gave it, so it stays as it is"
        os.chown(path, *ids_of(before))
        os.chmod(path, before["mode"])
        return None

    def _remove(self, system: System, path: str) -> Optional[str]:
        if os.path.ismount(path):
            return f"{self.path} has a file system mounted on it, so it stays: umount {self.path}"
        if self.scratch or (self.data and system.purge):
            shutil.rmtree(path)
            return None
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            system.kept.append(self.path)
            if self.data:
                with open(self._mark(system), "w", encoding="utf-8"):
                    pass
                return f"{self.path} holds data, so it stays (--purge takes it away)"
            inside = sorted(os.listdir(path))
            more = f" and {len(inside) - 3} more" if len(inside) > 3 else ""
            return f"{self.path} is not empty ({', '.join(inside[:3])}{more}), so it stays"
        return None
