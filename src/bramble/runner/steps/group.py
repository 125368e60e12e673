"""A group of users."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System


@step
class Group(Step):
    """A group in /etc/group.

    Parameters
    ----------
    name
        Its name.
    gid
        Its number; None for the next free one.
    system
        Take a free number from the range of system groups.
    """

    name: str
    gid: Optional[int] = None
    system: bool = True

    @property
    def _resource(self) -> str:
        return f"Group {self.name}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        try:
            now = grp.getgrnam(self.name)
        except KeyError:
            return Change("create" if self.gid is None else f"create, gid {self.gid}", {self._resource: None})
        if self.gid is not None and now.gr_gid != self.gid:
            raise StepError(
                f"the group {self.name} has the number {now.gr_gid} here, not {self.gid}",
                hint=f"files may belong to it, so it is not renumbered; do it by hand: sudo groupmod -g {self.gid} "
                f"{self.name}",
            )
        return None

    def apply(self, system: System, change: Change) -> None:
        argv = ["groupadd"] + (["--system"] if self.system else [])
        if self.gid is not None:
            argv += ["--gid", str(self.gid)]
        system.must([*argv, self.name], f"the group {self.name} could not be made")

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        try:
            now = grp.getgrnam(self.name)
        except KeyError:
            return None
        needed = sorted({*now.gr_mem, *(user.pw_name for user in pwd.getpwall() if user.pw_gid == now.gr_gid)})
        if needed:
            return f"the group {self.name} stays, because {', '.join(needed)} is in it"
        system.must(["groupdel", self.name], f"the group {self.name} could not be deleted")
        return None
