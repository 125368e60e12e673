"""Who else is at work with packages on this host."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from typing import Optional

from ...dataclass import dataclass
from ...step import StepError
from ...system import System

#: What apt and dpkg lock while they work.
LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)

#: ``struct flock``: type, whence, start, length, process.
_FLOCK = "hhqqi"


@dataclass(frozen=True)
class Holder:
    """A process that holds one of the locks."""

    pid: int
    command: str
    path: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})" if self.visible else "somebody"

    @property
    def visible(self) -> bool:
        """Whether it can be named: a lock may also belong to a process of another container, or to none."""
        return self.pid > 0


def holder(system: System) -> Optional[Holder]:
    """The first process that keeps apt from working; None when it is free."""
    for path in LOCKS:
        pid = _asks(system.path(path))
        if pid is not None:
            return Holder(pid, _command(pid), path)
    return None


def _asks(path: str) -> Optional[int]:
    """Ask the kernel who would refuse us the lock; taking it to find out would get in the way of others."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        answer = fcntl.fcntl(handle, fcntl.F_GETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    finally:
        os.close(handle)
    kind, _, _, _, pid = struct.unpack(_FLOCK, answer)
    return None if kind == fcntl.F_UNLCK else int(pid)


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return "somebody"  # it ended in the meantime


def wait(system: System) -> None:
    """Wait until nobody else is at work with packages.

    Raises
    ------
    StepError
        The group's time is over; says who holds the lock.
    Cancelled
    """
    began = time.monotonic()
    while True:
        found = holder(system)
        if found is None:
            return
        if system.time_left() <= 0:
            raise held(found, time.monotonic() - began)
        system.progress(f"waits for {found}, which is at work with packages")
        system.sleep(min(1.0, system.time_left()))


def held(found: Holder, seconds: float) -> StepError:
    """The error for a lock that did not come free."""
    return StepError(
        "another program is at work with packages on this host",
        why=f"{found.path} is held by {found}; waited {seconds:.0f} s",
        hint=f"let it finish{f' (ps -fp {found.pid})' if found.visible else ''}, then run again",
    )
