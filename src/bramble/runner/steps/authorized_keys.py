"""Public keys with which people log in as a user."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Any, Optional

from ..secret import Secret
from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from .filesystem import look, sync_folder, write
from .user import caller


@step
class AuthorizedKeys(Step):
    """Lines that stand in a user's ``~/.ssh/authorized_keys``; others stay, so nobody is shut out.

    Parameters
    ----------
    keys
        As such files have them, one a line.
    user
        Whose; empty for who logged in to this host.
    """

    keys: Secret
    user: str = ""

    @property
    def _resource(self) -> str:
        return f"AuthorizedKeys of {self.user or 'who logs in'}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        user = self.user or caller()
        try:
            home = pwd.getpwnam(user).pw_dir
        except KeyError:
            return Unknown(f"there is no user {user} on this host")
        path = f"{home}/.ssh/authorized_keys"
        now = _read(system, path)
        there = (now or "").splitlines()
        lacking = [line for line in self.keys.reveal().decode().splitlines() if line and line not in there]
        if not lacking:
            return None
        folder = look(system.path(os.path.dirname(path))) is not None
        unended = there[-1] if now and not now.endswith("\n") else None
        before: dict[str, Any] = {"user": user, "path": path, "added": lacking, "unended": unended}
        before.update({"file": now is not None, "folder": folder})
        return Change(f"add {len(lacking)} to {path}", {self._resource: before})

    def apply(self, system: System, change: Change) -> None:
        before = change.before[self._resource]
        found = pwd.getpwnam(before["user"])
        folder = system.path(os.path.dirname(before["path"]))
        if not os.path.isdir(folder):
            if not os.path.isdir(system.path(found.pw_dir)):
                raise StepError(f"{before['user']} has no home {found.pw_dir}", hint="make it: sudo mkhomedir_helper")
            os.mkdir(folder, 0o700)
            os.chown(folder, found.pw_uid, found.pw_gid)
        now = _read(system, before["path"]) or ""
        gap = "" if not now or now.endswith("\n") else "\n"
        _write(system, before["path"], now + gap + "".join(f"{line}\n" for line in before["added"]), before["user"])

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before: dict[str, Any] = records[self._resource].before
        path = system.path(before["path"])
        now = _read(system, before["path"])
        if now is None:
            return None
        left = [line for line in now.splitlines(keepends=True) if line.rstrip("\n") not in before["added"]]
        if left[-1:] == [f"{before['unended']}\n"]:
            left[-1] = before["unended"]
        if left or before["file"]:
            _write(system, before["path"], "".join(left), before["user"])
            return None
        os.unlink(path)
        folder = os.path.dirname(path)
        if before["folder"] or os.listdir(folder):
            sync_folder(folder)
        else:
            os.rmdir(folder)
        return None


def _read(system: System, path: str) -> Optional[str]:
    found = look(system.path(path))
    if found is None:
        return None
    if found["kind"] != "file":
        raise StepError(f"{path} is a {found['kind']}, not a file", hint=f"look at it: ls -ld {path}")
    with open(system.path(path), encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _write(system: System, path: str, text: str, user: str) -> None:
    found = look(system.path(path))
    who = pwd.getpwnam(user)
    mode, uid, gid = (found["mode"], found["uid"], found["gid"]) if found else (0o600, who.pw_uid, who.pw_gid)
    write(system.path(path), text.encode("utf-8", "surrogateescape"), mode, uid, gid)
