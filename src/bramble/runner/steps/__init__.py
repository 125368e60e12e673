"""All step types, each a noun that states what is wanted, with the words of systemd and apt."""

from __future__ import annotations

from .command import Command
from .directory import Directory
from .file import File
from .group import Group
from .kernel_argument import KernelArgument
from .line import Line
from .link import Link
from .package import Package
from .probe import Probe
from .reboot import Reboot
from .sysctl import Sysctl
from .unit import Unit
from .user import User
from .wait import Wait

__all__ = [
    "Command",
    "Directory",
    "File",
    "Group",
    "KernelArgument",
    "Line",
    "Link",
    "Package",
    "Probe",
    "Reboot",
    "Sysctl",
    "Unit",
    "User",
    "Wait",
]
