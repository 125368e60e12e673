"""What the lab needs of the machine: Linux, root, and a handful of programs."""

from __future__ import annotations

import os
import shutil
import sys

from bramble.errors import UsageError

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
