"""What a purge leaves behind, taken away once nothing of its packages is there any more."""

from __future__ import annotations

import grp
import os
import pwd
import shutil

from ...system import System
from ..user import delete_user
from . import brought, status
from .brought import Batch, Brought

#: What lies there is worth something without its packages: it goes only where data may go.
DATA = ("/var/lib/", "/var/spool/", "/srv/", "/opt/", "/home/")


def sweep(system: System, known: Brought) -> "list[str]":
    """Take away what came with packages that are all gone; forget them. Returns what was left, and why."""
    here = status.present(system)
    reasons: list[str] = []
    remaining = []
    for batch in known.batches:
        if here & set(batch.packages):
            remaining.append(batch)
            continue
        reasons += _sweep_batch(system, batch)
    known.batches = remaining
    brought.save(system, known)
    return reasons


def _sweep_batch(system: System, batch: Batch) -> "list[str]":
    reasons = []
    kept: list[str] = []
    for path in batch.leftovers(system):
        if _claimed(system, path):
            continue
        reason = _take_away(system, batch, path)
        if reason:
            kept.append(path)
            reasons.append(reason)
    for name in batch.users:
        reason = _delete_user(system, name, kept)
        if reason:
            reasons.append(reason)
    for name in batch.groups:
        _delete_group(system, name)
    reasons += [f"{name} stays at version {new} (it was {old})" for name, (old, new) in sorted(batch.renewed.items())]
    return reasons


def _claimed(system: System, path: str) -> bool:
    """Whether a step that is still in the journal, of whichever service, speaks for it: then it is that step's."""
    return any(system.claims(f"{kind} {path}") for kind in ("Directory", "File", "Link"))


def _take_away(system: System, batch: Batch, path: str) -> str:
    real = system.path(path)
    if os.path.ismount(real):
        return f"{path} has a file system mounted on it, so it stays"
    files = brought.files_below(system, path)
    if path.startswith(DATA):
        if files and not system.purge:
            return f"{path} holds data, so it stays (--purge takes it away)"
    elif path.startswith("/etc/"):
        foreign = [file for file in files if batch.written.get(file) != brought.content_hash(system, file)]
        for file in set(files) - set(foreign):
            os.unlink(system.path(file))
        _prune(real)
        news = sorted(set(foreign) - set(system.kept))
        return f"{', '.join(news)} was changed or put there by somebody, so it stays" if news else ""
    if os.path.isdir(real) and not os.path.islink(real):
        shutil.rmtree(real)
    elif os.path.lexists(real):
        os.unlink(real)
    return ""


def _prune(top: str) -> None:
    """Take away the folders below ``top`` that are empty, and itself if it is."""
    for folder, _, _ in os.walk(top, topdown=False):
        if not os.listdir(folder):
            os.rmdir(folder)


def _delete_user(system: System, name: str, kept: "list[str]") -> str:
    try:
        uid = pwd.getpwnam(name).pw_uid
    except KeyError:
        return ""
    if system.claims(f"User {name}"):
        return ""
    if any(os.lstat(system.path(path)).st_uid == uid for path in kept):
        return f"the user {name} stays, because that data is its own"
    delete_user(system, name)
    return ""


def _delete_group(system: System, name: str) -> None:
    try:
        group = grp.getgrnam(name)
    except KeyError:
        return
    used = group.gr_mem or [user.pw_name for user in pwd.getpwall() if user.pw_gid == group.gr_gid]
    if not used and not system.claims(f"Group {name}"):
        system.must(["groupdel", name], f"the group {name} could not be deleted")
