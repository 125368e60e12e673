"""What lies at a path, and how a whole file is put there."""

from __future__ import annotations

import difflib
import grp
import hashlib
import os
import pwd
import stat
from collections.abc import Iterable
from typing import Any, Optional, Union

from ..step import StepError, Unknown
from ..system import System

#: What a kind of file is called in messages.
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symbolic link"}

#: May be shown to everyone: what others cannot read on the host must not be read in a diff either.
WORLD_READABLE = 0o004


def look(path: str) -> "Optional[dict[str, Any]]":
    """What lies at ``path``, links not followed: kind, mode, owner, group, uid and gid; None where nothing does."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return {
        "kind": KINDS.get(stat.S_IFMT(found.st_mode), "special file"),
        "mode": stat.S_IMODE(found.st_mode),
        "uid": found.st_uid,
        "gid": found.st_gid,
        "owner": _name(pwd.getpwuid, found.st_uid),
        "group": _name(grp.getgrgid, found.st_gid),
    }


def _name(look_up: Any, number: int) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def ids(owner: str, group: str) -> "Union[tuple[int, int], Unknown]":
    """Numbers of an owner and a group; Unknown where an earlier step has yet to make them."""
    try:
        return pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError:
        return Unknown(f"{owner}:{group} does not exist on this host")


def ids_of(before: "dict[str, Any]") -> "tuple[int, int]":
    """The numbers to give something back to: by name where that still exists, else as they were."""
    who = ids(before["owner"], before["group"])
    return (before["uid"], before["gid"]) if isinstance(who, Unknown) else who


def require_ids(path: str, owner: str, group: str) -> "tuple[int, int]":
    """As `ids`, for the moment when they must be there.

    Raises
    ------
    StepError
        They are not.
    """
    who = ids(owner, group)
    if isinstance(who, Unknown):
        raise StepError(f"{path} cannot be given to {owner}:{group}", why=who.reason)
    return who


def differences(now: "dict[str, Any]", mode: int, owner: str, group: str) -> "list[str]":
    """What differs in mode and owner, for people."""
    found = []
    if now["mode"] != mode:
        found.append(f"mode {now['mode']:04o} → {mode:04o}")
    if (now["owner"], now["group"]) != (owner, group):
        found.append(f"owner {now['owner']}:{now['group']} → {owner}:{group}")
    return found


def write(path: str, content: bytes, mode: int, uid: int, gid: int) -> None:
    """Put a whole file in place at once: a reader sees the old or the new one, a power cut leaves one of them.

    The content never stands in a file that others may read: the new file has 0600 until it is complete. Its name is
    always the same, so that what a cut leaves behind is taken away by the next run.

    Raises
    ------
    StepError
        The folder is missing.
    """
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise missing_folder(path)
    temporary = unfinished(path)
    forget_unfinished(path)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        forget_unfinished(path)
        # The operating system names the unfinished file, or none; people know only the other.
        raise OSError(error.errno, error.strerror, path) from None
    except BaseException:
        forget_unfinished(path)
        raise
    sync_folder(folder)


def unfinished(path: str) -> str:
    """Where the new content of ``path`` stands until it is complete."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.bramble-new")


def forget_unfinished(path: str) -> None:
    """Take away what a cut left of a write."""
    # Looked for first: a read-only file system refuses to take away even what is not there.
    if os.path.lexists(unfinished(path)):
        os.unlink(unfinished(path))


def sync_folder(folder: str) -> None:
    """Make a name that was put into or taken out of a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def missing_folder(path: str) -> StepError:
    """The error for a path whose folder is not there."""
    folder = os.path.dirname(path)
    return StepError(
        f"{path} cannot be made",
        why=f"the folder {folder} does not exist",
        hint=f"a Directory step or a package has to bring {folder} first",
    )


def diff(old: str, new: str, path: str) -> str:
    """A unified diff of a file now and as it is wanted."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{path} now", f"{path} wanted", lineterm="")
    return "\n".join(lines)


def digest(system: System, paths: "Iterable[str]") -> str:
    """One mark for the content of several files; a missing file counts as such, a directory by what lies in it."""
    total = hashlib.sha256()
    for path in sorted(set(paths)):
        for file in sorted(_files_at(system.path(path))):
            total.update(file.encode() + b"\0")
            try:
                with open(file, "rb") as opened:
                    total.update(hashlib.sha256(opened.read()).digest())
            except (FileNotFoundError, NotADirectoryError):
                total.update(b"missing")
    return total.hexdigest()


def _files_at(path: str) -> "list[str]":
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
