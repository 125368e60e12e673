"""Options of the Spark service."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ...model import spelling
from ..words import Words

#: Versions of Spark that can be had, oldest first.
VERSIONS = ("4.1.4", "4.2.1")

#: Where records of what ran go unless the options say otherwise: a folder of the host where each program was started.
EVENTS = "file:///var/lib/spark/events"

#: MiB that a history server and Spark Connect take, rounded up.
WITH_HISTORY, WITH_CONNECT = 250, 600

#: MiB of a heap below which a driver or an executor may not start. Spark wants 450 MiB as Java counts them, and Java's
#: serial collector, which small hosts get by themselves, leaves out a part of its own [435 of 450 MiB].
SMALLEST_HEAP = 480


def _url(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*:/[^\s]+", text):
        raise ValueError(f"{text!r} is not a URL: give file:///srv/shared/events or hdfs://red:8020/events")
    return text


class Config(BaseModel):
    """All options; every one has a default that fits a box of Pis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[VERSIONS] = Field(  # type: ignore[valid-type]
        default=VERSIONS[-1],
        description="Of Spark. It is kept in the cluster's file, and a later one comes by an upgrade.",
    )
    manager_works: bool = Field(
        default=False,
        description="Whether the manager runs parts of jobs, too, beside the daemon that commands and the programs "
        "that people start there. A lone host always does.",
    )
    worker_memory: int | None = Field(
        default=None,
        ge=SMALLEST_HEAP,
        description="MiB that executors may have on each host that works; by default half of what it has, a quarter "
        "beside Hadoop, and 512 at least.",
    )
    executor_memory: int | None = Field(
        default=None,
        ge=SMALLEST_HEAP,
        description="MiB of an executor, where a program does not say it; by default what the smallest host can give, "
        "up to 1024, so that there is room for a second program.",
    )
    users: Annotated[tuple[Annotated[str, AfterValidator(spelling.user)], ...], Words] = Field(
        default=(),
        description="Who may submit without sudo: [pi]. By default those whom bramble logs in as, where the cluster's "
        "file says it. They get into the group `spark`, whose members can read the secret of the cluster.",
    )
    events: Annotated[str, AfterValidator(_url)] = Field(
        default=EVENTS,
        description="Where programs leave records of what they did, as a URL: a folder that is there already and that "
        "all hosts share, for a history of all of them. By default each host keeps those of the programs that were "
        "started on it.",
    )
    history: bool = Field(
        default=False,
        description="A history server on the manager: the web interfaces of programs that have ended, from `events`.",
    )
    connect: bool = Field(
        default=False,
        description="Spark Connect on the manager: programs on your own machine that use the cluster by way of ssh. "
        "Needs 2 GB of memory there.",
    )
    leave_deadline: float = Field(
        default=600.0,
        ge=0,
        description="Seconds that parts of programs may take to end: on a host to be dropped, and before an upgrade.",
    )

    @property
    def besides(self) -> int:
        """MiB that the history server and Spark Connect take on the manager."""
        return (WITH_HISTORY if self.history else 0) + (WITH_CONNECT if self.connect else 0)
