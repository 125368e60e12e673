"""Virtual Pis on one Linux machine: real Debian trees, systemd as process 1, sshd, an address of their own.

Every verb is a plain function that returns when it is done, and needs root::

    from bramble import lab

    lab.up(size=3, name="red")
    lab.kill("red", "red01")
    lab.start("red", "red01")
    lab.down("red")

What hosts of a lab share with the machine: one kernel, so the clock, modules, most of /proc/sys and the kernel log. The
clock cannot be set nor modules be loaded from within. What a lab cannot show: heat, SD-card speed, ARM speed, and
``cmdline.txt`` taking effect.
"""

from bramble.lab.faults import cut, drain, fill, heal, pause, resume
from bramble.lab.inside import execute, shell
from bramble.lab.report import HostStatus, LabStatus
from bramble.lab.requirements import missing_packages
from bramble.lab.snapshots import Snapshot, diff_snapshots, snapshot
from bramble.lab.verbs import add, down, kill, labs, reset, small_disk, start, status, up

__all__ = [
    "HostStatus",
    "LabStatus",
    "Snapshot",
    "add",
    "cut",
    "diff_snapshots",
    "down",
    "drain",
    "execute",
    "fill",
    "heal",
    "kill",
    "labs",
    "missing_packages",
    "pause",
    "reset",
    "resume",
    "shell",
    "small_disk",
    "snapshot",
    "start",
    "status",
    "up",
]
