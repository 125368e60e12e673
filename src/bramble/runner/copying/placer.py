"""Puts files where they belong: each whole or not at all, and never through a link that somebody laid there."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from typing import Optional

from ..dataclass import asdict
from ..step import StepError
from .found import CHUNK, Entry

#: What a file is called until it is whole. One of a copy that was cut off goes with the next copy into its folder.
UNFINISHED = ".bramble-copy-"

#: Seconds after which an unfinished file that nobody holds was left behind.
LEFT = 10.0


def settle(to: str, entries: "list[Entry]") -> "tuple[str, list[Entry]]":
    """The folder that entries come into, and what they are called there.

    A path that ends with a slash is a folder, which is made where there is none, and so is one for several things. Else
    it is what the one thing is called there; a file goes into a folder that is there already, as with cp.
    """
    tops = [entry for entry in entries if "/" not in entry.path]
    whole = os.path.normpath(to)
    if to.endswith("/") or len(tops) != 1 or (tops[0].kind != "folder" and os.path.isdir(whole)):
        return whole, entries
    folder, name = os.path.split(whole)
    old = len(tops[0].path)
    return folder, [Entry(**{**asdict(entry), "path": name + entry.path[old:]}) for entry in entries]


class Placer:
    """Puts entries below a folder. Folders that are there already keep their permissions and owner.

    Parameters
    ----------
    folder
        Absolute; it is made where there is none. Links on the way to it are followed: who named it meant them.
    owner
        ``user``, ``user:group`` or empty: whoever runs this; a file that is replaced by root keeps its own.
    mode
        Of all files, in octal; empty for what they have where they come from.

    Attributes
    ----------
    changed
        How many entries were not as they are now.

    Raises
    ------
    StepError
        There is no such owner.
    OSError
        The folder cannot be made.
    """

    def __init__(self, folder: str, *, owner: str = "", mode: str = "") -> None:
        self._owner = _ids(owner) if owner else None
        self._mode = int(mode, 8) if mode else None
        self.folder = folder
        self.changed = 0
        os.makedirs(folder, mode=0o755, exist_ok=True)
        self._base = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._made: list[Entry] = []
        self._swept: set[str] = set()
        self._entry: Optional[Entry] = None
        self._into = self._file = -1
        self._unfinished = ""
        self._digest = hashlib.sha256()

    def lacking(self, entries: "list[Entry]") -> "list[int]":
        """Make the folders and links, mend permissions, and tell the numbers of the files whose content is wanted.

        Raises
        ------
        StepError
            Something of another kind is in the way; or a path leads out of the folder.
        OSError
            The system refuses.
        """
        wanted = []
        for number, entry in enumerate(entries):
            _check(entry.path)
            if entry.kind == "folder":
                self._folder(entry)
            elif entry.kind == "link":
                self._link(entry)
            elif not self._same(entry):
                wanted.append(number)
        return wanted

    def begin(self, entry: Entry) -> None:
        """Begin a file; `write` and `end` go on with it."""
        _check(entry.path)
        self._into, _ = self._parent(entry.path)
        self._sweep(os.path.dirname(entry.path))
        self._entry, self._digest = entry, hashlib.sha256()
        name = UNFINISHED + secrets.token_hex(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            self._file = os.open(name, flags, 0o600, dir_fd=self._into)
        except OSError as error:
            error.filename = self._told(entry)  # which is what the person knows
            raise
        self._unfinished = name
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, data: bytes) -> None:
        """The next part of the file."""
        self._digest.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def end(self, sha256: bytes) -> None:
        """The file is whole, if this is its hash: it takes its place.

        Raises
        ------
        StepError
            It did not come as it was sent.
        """
        entry = self._entry
        assert entry
        if self._digest.digest() != sha256 or entry.sha256 not in ("", sha256.hex()):
            raise StepError(
                f"{entry.path} did not arrive as it was sent",
                why="its hash is another",
                hint="if something writes to it just now, wait until it is whole; then run the same again",
            )
        name = os.path.basename(entry.path)
        old = _lstat(name, self._into)
        if old and stat.S_ISDIR(old.st_mode):
            raise StepError(f"{self._told(entry)} is a folder already, and a file cannot take its place")
        self._dress(self._file, entry, old)
        os.utime(self._file, ns=(entry.mtime, entry.mtime))
        if old:
            os.fsync(self._file)  # else a loss of power could leave neither the old nor the new one
        os.rename(self._unfinished, name, src_dir_fd=self._into, dst_dir_fd=self._into)
        self._unfinished = ""
        self.changed += 1
        self.close(base=False)

    def finish(self) -> None:
        """All is there: folders get their own permissions, which may forbid to write into them."""
        for entry in reversed(self._made):
            with self._opened(entry.path) as folder:
                os.fchmod(folder, entry.mode)

    def close(self, *, base: bool = True) -> None:
        """Let go of everything; an unfinished file goes."""
        if self._unfinished:
            with contextlib.suppress(OSError):
                os.unlink(self._unfinished, dir_fd=self._into)
            self._unfinished = ""
        for handle in (self._file, self._into, *((self._base,) if base else ())):
            if handle >= 0:
                os.close(handle)
        self._file = self._into = -1
        if base:
            self._base = -1

    # One entry

    def _folder(self, entry: Entry) -> None:
        parent, name = self._parent(entry.path)
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            about = _lstat(name, parent)
            if about and not stat.S_ISDIR(about.st_mode):
                raise StepError(f"{self._told(entry)} is there already, and is no folder") from None
            return
        finally:
            os.close(parent)
        self.changed += 1
        self._made.append(entry)
        if self._owner:
            with self._opened(entry.path) as folder:
                os.fchown(folder, *self._owner)

    def _link(self, entry: Entry) -> None:
        parent, name = self._parent(entry.path)
        try:
            old = _lstat(name, parent)
            if old and stat.S_ISLNK(old.st_mode) and os.readlink(name, dir_fd=parent) == entry.target:
                return
            if old and stat.S_ISDIR(old.st_mode):
                raise StepError(f"{self._told(entry)} is a folder already, and a link cannot take its place")
            new = UNFINISHED + secrets.token_hex(8)
            os.symlink(entry.target, new, dir_fd=parent)
            if self._owner:
                os.chown(new, *self._owner, dir_fd=parent, follow_symlinks=False)
            os.rename(new, name, src_dir_fd=parent, dst_dir_fd=parent)
            self.changed += 1
        finally:
            os.close(parent)

    def _same(self, entry: Entry) -> bool:
        """Whether this file is there with this content; what is wrong with its permissions is mended."""
        if not entry.sha256:
            return False
        try:
            parent, name = self._parent(entry.path)
        except FileNotFoundError:
            return False
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        except OSError:
            return False  # not there, a link, or nothing that we may read: it is written anew
        finally:
            os.close(parent)
        try:
            about = os.fstat(file)
            if not stat.S_ISREG(about.st_mode) or about.st_size != entry.size:
                return False
            digest = hashlib.sha256()
            for data in iter(lambda: os.read(file, CHUNK), b""):
                digest.update(data)
            if digest.hexdigest() != entry.sha256:
                return False
            self._dress(file, entry, about)
            after = os.fstat(file)
            self.changed += (about.st_mode, about.st_uid, about.st_gid) != (after.st_mode, after.st_uid, after.st_gid)
            return True
        finally:
            os.close(file)

    def _dress(self, file: int, entry: Entry, old: Optional[os.stat_result]) -> None:
        """Give a file its owner and permissions, the owner first: to change it takes permissions away."""
        about = os.fstat(file)
        keeps = (old.st_uid, old.st_gid) if old and stat.S_ISREG(old.st_mode) and os.geteuid() == 0 else None
        owner = self._owner or keeps
        if owner and owner != (about.st_uid, about.st_gid):
            os.fchown(file, *owner)
        mode = entry.mode if self._mode is None else self._mode
        if stat.S_IMODE(os.fstat(file).st_mode) != mode:
            os.fchmod(file, mode)

    # The way there

    @contextlib.contextmanager
    def _opened(self, path: str) -> "Iterator[int]":
        folder, _ = self._parent(path + "/.")
        try:
            yield folder
        finally:
            os.close(folder)

    def _parent(self, path: str) -> "tuple[int, str]":
        """The open folder that a path is in, and its name there. No step of the way may be a link."""
        *folders, name = path.split("/")
        here = os.dup(self._base)
        for folder in folders:
            try:
                below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise StepError(
                        f"{os.path.join(self.folder, *folders)} is not gone into",
                        why=f"{folder} is a link or a file there, and it should be a folder",
                        hint="take it away, or name the folder that is meant",
                    ) from None
                raise
            finally:
                os.close(here)
            here = below
        return here, name

    def _told(self, entry: Entry) -> str:
        return os.path.join(self.folder, entry.path)

    def _sweep(self, folder: str) -> None:
        """Take away what copies that were cut off have left in the folder that is open now."""
        if folder in self._swept:
            return
        self._swept.add(folder)
        for name in os.listdir(self._into):
            about = _lstat(name, self._into) if name.startswith(UNFINISHED) else None
            if about is None or about.st_uid != os.geteuid() or time.time() - about.st_mtime < LEFT:
                continue
            with contextlib.suppress(OSError):  # it is held: its copy is under way
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._into)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(name, dir_fd=self._into)
                finally:
                    os.close(file)


def _check(path: str) -> None:
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise StepError(f"{path!r} leads out of the folder that it should go into")


def _lstat(name: str, folder: int) -> Optional[os.stat_result]:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _ids(owner: str) -> "tuple[int, int]":
    import grp
    import pwd

    user, _, group = owner.partition(":")
    try:
        who = pwd.getpwnam(user)
        return who.pw_uid, grp.getgrnam(group).gr_gid if group else who.pw_gid
    except KeyError:
        raise StepError(f"there is no {owner} on this host", hint="name a user and a group that are there") from None
