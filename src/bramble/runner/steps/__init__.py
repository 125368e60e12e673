"""All step types, each a noun that states what is wanted, with the words of systemd and apt.

A type is imported when it is first asked for: a plan has few of them, and each costs time on a small host.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .artifact import Artifact
    from .command import Command
    from .directory import Directory
    from .file import File
    from .group import Group
    from .image import Image
    from .image_archive import ImageArchive
    from .json_keys import JsonKeys
    from .kernel_argument import KernelArgument
    from .line import Line
    from .link import Link
    from .look import Look
    from .package import Package
    from .probe import Probe
    from .reboot import Reboot
    from .sysctl import Sysctl
    from .tree import Tree
    from .unit import Unit
    from .user import User
    from .wait import Wait

__all__ = [
    "Artifact",
    "Command",
    "Directory",
    "File",
    "Group",
    "Image",
    "ImageArchive",
    "JsonKeys",
    "KernelArgument",
    "Line",
    "Link",
    "Look",
    "Package",
    "Probe",
    "Reboot",
    "Sysctl",
    "Tree",
    "Unit",
    "User",
    "Wait",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"there is no step type {name}")
    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return getattr(import_module(f".{module}", __name__), name)
