"""Options of the Spark service."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

#: MiB of a heap below which a driver or an executor may not start. Spark wants 450 MiB as Java counts them, and Java's
#: serial collector, which small hosts get by themselves, leaves out a part of its own [435 of 450 MiB].
SMALLEST_HEAP = 480


def _listed(given: object) -> object:
    return [word for word in re.split(r"[\s,\[\]]+", given) if word] if isinstance(given, str) else given


def _user(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", name):
        raise ValueError(f"{name!r} is not the name of a user")
    return name


class Config(BaseModel):
    """All options; every one has a default that fits a box of Pis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manager_works: bool = Field(
        default=False,
        description="Whether the manager runs parts of jobs, too, beside the daemon that commands and the programs "
        "that people start there. A lone host always does.",
    )
    worker_memory: int | None = Field(
        default=None,
        ge=SMALLEST_HEAP,
        description="MiB that executors may have on each host that works; by default half of what it has, and 512 at "
        "least.",
    )
    executor_memory: int | None = Field(
        default=None,
        ge=SMALLEST_HEAP,
        description="MiB of an executor, where a program does not say it; by default what the smallest host can give, "
        "up to 1024, so that there is room for a second program.",
    )
    users: Annotated[tuple[Annotated[str, AfterValidator(_user)], ...], BeforeValidator(_listed)] = Field(
        default=(),
        description="Who may submit without sudo: [pi]. By default those whom bramble logs in as, where the cluster's "
        "file says it. They get into the group `spark`, whose members can read the secret of the cluster.",
    )
