"""What the lab needs of the machine: Linux, root, and a handful of programs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from bramble.errors import BrambleError, UsageError

#: Program -> the Debian and Ubuntu package that brings it.
PROGRAMS = {
    "apt-get": "apt",
    "bridge": "iproute2",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
}

#: Where programs of the system are, also for a caller whose PATH leaves out sbin.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing_packages() -> tuple[str, ...]:
    """Debian packages that have to be installed before a lab can run; empty when all is there."""
    return tuple(sorted({package for program, package in PROGRAMS.items() if shutil.which(program, path=PATH) is None}))


def require() -> None:
    """Raise at once where no lab can run.

    Raises
    ------
    UsageError
        Not Linux, not root, or programs are missing; the hint is the command that mends it.
    """
    if sys.platform != "linux":
        raise UsageError(
            "the lab needs Linux", why=f"this is {sys.platform}", hint="run it on a Debian or Ubuntu machine"
        )
    missing = missing_packages()
    install = f"apt-get install {' '.join(missing)}" if missing else ""
    if os.geteuid() != 0:
        hint = "run the same command with sudo"
        raise UsageError(
            "the lab needs root",
            why="it makes network namespaces, mounts and containers",
            hint=f"{hint}, after: sudo {install}" if install else hint,
        )
    if missing:
        raise UsageError(f"the lab needs packages that are not installed: {', '.join(missing)}", hint=install)


#: inotify instances of root that a host's systemd and logind hold: counted on bookworm and trixie.
_INOTIFY_EACH = 6


def require_room(hosts: int) -> None:
    """Refuse to start more hosts than the kernel has inotify instances for: systemd in them would hang without a word.

    Raises
    ------
    BrambleError
        Too few are left; the hint is the command that raises the limit, which is the machine's owner's to decide.
    """
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    used = sum(map(_inotify_instances, Path("/proc").glob("[0-9]*")))
    if used + hosts * _INOTIFY_EACH > limit:
        raise BrambleError(
            f"there is no room for {hosts} more lab host{'s' * (hosts != 1)} on this machine",
            why=f"each needs {_INOTIFY_EACH} inotify instances, and root has {used} of {limit} in use",
            hint=f"bramble lab down for labs that are not needed, or: sysctl fs.inotify.max_user_instances={limit * 4}",
        )


def _inotify_instances(process: Path) -> int:
    """How many inotify instances a process of root has open."""
    count = 0
    try:
        if process.stat().st_uid != 0:
            return 0
        for entry in (process / "fd").iterdir():
            count += os.readlink(entry) == "anon_inode:inotify"
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass  # it ended while we looked
    return count
