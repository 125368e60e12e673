"""The one door in: a typed async function for each verb, and `run` for callers that are not async.

::

    from bramble import api

    report = api.run(api.deploy("slurm", hosts="red,red[01-02]"))
    assert report.ok and report.verified

Reports and events are frozen values that turn into JSON. What goes wrong on a host stands in the report; what is wrong
with the question is raised as a `BrambleError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from ..engine.readings import Load, Temperature, Throttling
from .artifacts import (
    KeptArtifact,
    artifacts_clean,
    artifacts_export,
    artifacts_fetch,
    artifacts_import,
    artifacts_list,
)
from .backup import backup, restore
from .change import deploy, remove, scale
from .command import Answer, command
from .files import copy, fetch
from .find import FoundHost, hosts_find
from .hosts import (
    ClusterInfo,
    HostCheck,
    TrustedKey,
    hosts_add,
    hosts_check,
    hosts_expand,
    hosts_list,
    hosts_remove,
    hosts_trust,
)
from .hosts_show import ClusterDetail, HostInfo, hosts_show
from .image_record import ImageInfo, images_list
from .images import images_build, images_load, images_remove
from .job import OnBegin, OnEvent
from .led import led
from .look import Option, ServiceInfo, ServiceState, run_of, runs, services, status
from .power import poweroff, reboot, wake
from .prepare import prepare
from .reach import Reach
from .readings import load, temperature, throttled
from .shell import Terminal, shell
from .upgrade import upgrade
from .verify import verify

if TYPE_CHECKING:
    from ..cards.burning import CardResult, NextCards
    from ..cards.disks import Disk, Part, Refusal
    from ..cards.init_format import InitFormat
    from ..cards.read_back import CardContent
    from .burn import Burned, cards_burn
    from .card_check import CardCheck, cards_check
    from .card_images import CardImage, cards_images, cards_images_clean, cards_images_fetch
    from .disks import CardReader, cards_list

T = TypeVar("T")

#: What cards need takes half as long to load as all else, and nothing else needs it: it is loaded when it is asked for.
_CARDS = {
    ".burn": ("Burned", "cards_burn"),
    ".card_check": ("CardCheck", "cards_check"),
    ".card_images": ("CardImage", "cards_images", "cards_images_clean", "cards_images_fetch"),
    ".disks": ("CardReader", "cards_list"),
    "..cards.burning": ("CardResult", "NextCards"),
    "..cards.disks": ("Disk", "Part", "Refusal"),
    "..cards.init_format": ("InitFormat",),
    "..cards.read_back": ("CardContent",),
}


def __getattr__(name: str) -> Any:
    for module, names in _CARDS.items():
        if name in names:
            return getattr(import_module(module, __name__), name)
    raise AttributeError(f"there is nothing called {name}")


def run(verb: Coroutine[Any, Any, T]) -> T:
    """Carry out a verb and wait for its result: the one bridge from synchronous code."""
    return asyncio.run(verb)


__all__ = [
    "Answer",
    "Burned",
    "CardCheck",
    "CardContent",
    "CardImage",
    "CardReader",
    "CardResult",
    "ClusterDetail",
    "ClusterInfo",
    "Disk",
    "FoundHost",
    "HostCheck",
    "HostInfo",
    "ImageInfo",
    "InitFormat",
    "KeptArtifact",
    "Load",
    "NextCards",
    "OnBegin",
    "OnEvent",
    "Option",
    "Part",
    "Reach",
    "Refusal",
    "ServiceInfo",
    "ServiceState",
    "Temperature",
    "Terminal",
    "Throttling",
    "TrustedKey",
    "artifacts_clean",
    "artifacts_export",
    "artifacts_fetch",
    "artifacts_import",
    "artifacts_list",
    "backup",
    "cards_burn",
    "cards_check",
    "cards_images",
    "cards_images_clean",
    "cards_images_fetch",
    "cards_list",
    "command",
    "copy",
    "deploy",
    "fetch",
    "hosts_add",
    "hosts_check",
    "hosts_expand",
    "hosts_find",
    "hosts_list",
    "hosts_remove",
    "hosts_show",
    "hosts_trust",
    "images_build",
    "images_list",
    "images_load",
    "images_remove",
    "led",
    "load",
    "poweroff",
    "prepare",
    "reboot",
    "remove",
    "restore",
    "run",
    "run_of",
    "runs",
    "scale",
    "services",
    "shell",
    "status",
    "temperature",
    "throttled",
    "upgrade",
    "verify",
    "wake",
]
