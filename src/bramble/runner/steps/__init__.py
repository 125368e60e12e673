"""All step types, each a noun that states what is wanted, with the words of systemd and apt.

A type is imported when it is first asked for: a plan has few of them, and each costs time on a small host.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .address import Address
    from .artifact import Artifact
    from .authorized_keys import AuthorizedKeys
    from .command import Command
    from .directory import Directory
    from .file import File
    from .firmware_setting import FirmwareSetting
    from .group import Group
    from .hostname import Hostname
    from .image import Image
    from .image_archive import ImageArchive
    from .json_keys import JsonKeys
    from .kernel_argument import KernelArgument
    from .line import Line
    from .link import Link
    from .look import Look
    from .package import Package
    from .password import Password
    from .probe import Probe
    from .radio_silence import RadioSilence
    from .reboot import Reboot
    from .sysctl import Sysctl
    from .timezone import Timezone
    from .tree import Tree
    from .unit import Unit
    from .upgrade import Upgrade
    from .user import User
    from .wait import Wait

__all__ = [
    "Address",
    "Artifact",
    "AuthorizedKeys",
    "Command",
    "Directory",
    "File",
    "FirmwareSetting",
    "Group",
    "Hostname",
    "Image",
    "ImageArchive",
    "JsonKeys",
    "KernelArgument",
    "Line",
    "Link",
    "Look",
    "Package",
    "Password",
    "Probe",
    "RadioSilence",
    "Reboot",
    "Sysctl",
    "Timezone",
    "Tree",
    "Unit",
    "Upgrade",
    "User",
    "Wait",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"there is no step type {name}")
    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return getattr(import_module(f".{module}", __name__), name)
