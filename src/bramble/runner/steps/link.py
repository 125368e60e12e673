"""A symbolic link to this target."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System
from .filesystem import forget_unfinished, look, missing_folder, sync_folder, unfinished


@step
class Link(Step):
    """A symbolic link.

    Parameters
    ----------
    path
        Where the link lies; absolute.
    target
        What it says, absolute or relative to the link; it need not exist.
    ours
        Other targets that something of bramble's own may turn it to, such as the way back of an upgrade: such a link is
        nobody else's either.
    """

    path: str
    target: str
    ours: "tuple[str, ...]" = ()

    @property
    def _resource(self) -> str:
        return f"Link {self.path}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        path = system.path(self.path)
        now = look(path)
        if now is None:
            return Change(f"create, to {self.target}", {self._resource: None})
        if now["kind"] != "symbolic link":
            raise StepError(f"{self.path} is a {now['kind']}, not a link", hint=f"look at it: ls -ld {self.path}")
        target = os.readlink(path)
        if target == self.target:
            return None
        return Change(f"target {target} → {self.target}", {self._resource: target})

    def apply(self, system: System, change: Change) -> None:
        _point(system.path(self.path), self.target)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before = records[self._resource].before
        path = system.path(self.path)
        forget_unfinished(path)
        now = look(path)
        ours = (self.target, before, *self.ours)
        if now is not None and (now["kind"] != "symbolic link" or os.readlink(path) not in ours):
            system.kept.append(self.path)
            return f"{self.path} was changed by somebody since, so it stays as it is"
        if before is not None:
            if not os.path.isdir(os.path.dirname(path)):
                return f"{self.path} is not put back, because its folder is gone"
            _point(path, before)
        elif now is not None:
            os.unlink(path)
            sync_folder(os.path.dirname(path))
        return None


def _point(path: str, target: str) -> None:
    """Make or turn a link at once: whoever follows it arrives at the old or the new target."""
    if not os.path.isdir(os.path.dirname(path)):
        raise missing_folder(path)
    forget_unfinished(path)
    os.symlink(target, unfinished(path))
    os.replace(unfinished(path), path)
    sync_folder(os.path.dirname(path))
