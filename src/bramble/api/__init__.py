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
from typing import Any, TypeVar

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
from .images import ImageInfo, images_build, images_list, images_load, images_remove
from .job import OnEvent
from .look import Option, ServiceInfo, ServiceState, run_of, runs, services, status
from .reach import Reach
from .upgrade import upgrade
from .verify import verify

T = TypeVar("T")


def run(verb: Coroutine[Any, Any, T]) -> T:
    """Carry out a verb and wait for its result: the one bridge from synchronous code."""
    return asyncio.run(verb)


__all__ = [
    "Answer",
    "ClusterInfo",
    "FoundHost",
    "HostCheck",
    "ImageInfo",
    "KeptArtifact",
    "OnEvent",
    "Option",
    "Reach",
    "ServiceInfo",
    "ServiceState",
    "TrustedKey",
    "artifacts_clean",
    "artifacts_export",
    "artifacts_fetch",
    "artifacts_import",
    "artifacts_list",
    "backup",
    "command",
    "deploy",
    "hosts_add",
    "hosts_check",
    "hosts_expand",
    "hosts_find",
    "hosts_list",
    "hosts_remove",
    "hosts_trust",
    "images_build",
    "images_list",
    "images_load",
    "images_remove",
    "remove",
    "restore",
    "run",
    "run_of",
    "runs",
    "scale",
    "services",
    "status",
    "upgrade",
    "verify",
]
