"""A user."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from collections.abc import Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System

NO_LOGIN = "/usr/sbin/nologin"


@step
class User(Step):
    """A user in /etc/passwd.

    Parameters
    ----------
    name
        Its name.
    uid
        Its number; None for the next free one.
    group
        Name of its first group, which must exist; None makes a group of the user's name.
    groups
        Further groups that it must be in; others that it is in are left.
    home
        Its home directory; None for none.
    create_home
        Make it, with the files of /etc/skel.
    shell
        Its shell.
    system
        Take a free number from the range of system users.
    """

    name: str
    uid: Optional[int] = None
    group: Optional[str] = None
    groups: "tuple[str, ...]" = ()
    home: Optional[str] = None
    create_home: bool = False
    shell: str = NO_LOGIN
    system: bool = True

    @property
    def _resource(self) -> str:
        return f"User {self.name}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        try:
            now = pwd.getpwnam(self.name)
        except KeyError:
            return Change("create" if self.uid is None else f"create, uid {self.uid}", {self._resource: None})
        if self.uid is not None and now.pw_uid != self.uid:
            raise StepError(
                f"the user {self.name} has the number {now.pw_uid} here, not {self.uid}",
                hint=f"files may belong to it, so it is not renumbered; do it by hand: sudo usermod -u {self.uid} "
                f"{self.name}",
            )
        found = [f"group {name}" for name in self._missing_groups()]
        if now.pw_shell != self.shell:
            found.append(f"shell {now.pw_shell} → {self.shell}")
        if self.home is not None and now.pw_dir != self.home:
            found.append(f"home {now.pw_dir} → {self.home}")
        before = {"shell": now.pw_shell, "home": now.pw_dir, "joined": self._missing_groups()}
        return Change(", ".join(found), {self._resource: before}) if found else None

    def _missing_groups(self) -> "list[str]":
        missing = []
        for name in self.groups:
            try:
                if self.name not in grp.getgrnam(name).gr_mem:
                    missing.append(name)
            except KeyError:
                missing.append(name)
        return missing

    def apply(self, system: System, change: Change) -> None:
        groups = self._missing_groups()
        if change.before.get(self._resource) is not None:
            argv = ["usermod", "--shell", self.shell]
            if self.home is not None:
                argv += ["--home", self.home]
            if groups:
                argv += ["--append", "--groups", ",".join(groups)]
        else:
            argv = ["useradd", "--shell", self.shell, "--home-dir", self.home or "/nonexistent"]
            argv += ["--create-home" if self.create_home else "--no-create-home"]
            argv += ["--gid", self.group] if self.group else ["--user-group"]
            if self.system:
                argv.append("--system")
            if self.uid is not None:
                argv += ["--uid", str(self.uid)]
            if groups:
                argv += ["--groups", ",".join(groups)]
        system.must([*argv, self.name], f"the user {self.name} could not be made as wanted")

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before: Optional[dict[str, Any]] = records[self._resource].before
        try:
            now = pwd.getpwnam(self.name)
        except KeyError:
            return None
        if before is None:
            return self._delete(system, now)
        system.must(["usermod", "--shell", before["shell"], "--home", before["home"], self.name])
        for name in before["joined"]:
            if name in {group.gr_name for group in grp.getgrall() if self.name in group.gr_mem}:
                system.must(["gpasswd", "--delete", self.name, name])
        return None

    def _delete(self, system: System, now: "pwd.struct_passwd") -> Optional[str]:
        delete_user(system, self.name)
        if not self.create_home or not os.path.isdir(system.path(now.pw_dir)):
            return None
        home = system.path(now.pw_dir)
        skeleton = set(os.listdir(system.path("/etc/skel")))
        if system.purge or set(os.listdir(home)) <= skeleton:
            shutil.rmtree(home)
            return None
        return f"the home of {self.name}, {now.pw_dir}, holds files, so it stays (--purge takes it away)"


def delete_user(system: System, name: str) -> None:
    """Delete a user, and the group of its name where that is only its own.

    Raises
    ------
    StepError
        It still has processes.
    """
    end_sessions(system, name)
    output = system.run(["userdel", name])
    if output.status == 8:
        running = system.run(["ps", "-u", name, "-o", "pid=,args="]).tail
        raise StepError(
            f"the user {name} cannot be deleted, because it has processes",
            why=output.tail[-1] if output.tail else "",
            hint="stop them, then run this again",
            log=running,
        )
    if output.status not in (0, 6):  # 6: it is gone already
        raise StepError(f"the user {name} could not be deleted", why=" ".join(output.tail), log=output.tail)


def end_sessions(system: System, name: str) -> None:
    """End the user manager that a login or ``su`` started: it lingers for ten seconds, and bars the user's deletion."""
    try:
        uid = pwd.getpwnam(name).pw_uid
    except KeyError:
        return
    if os.path.isdir("/run/systemd/system"):
        system.run(["systemctl", "stop", f"user@{uid}.service"], timeout=30)


def caller() -> str:
    """Who logged in to this host, before sudo made root of them."""
    return os.environ.get("SUDO_USER") or "root"
