"""Options of the Slurm service."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

#: Slurm's forms of a time: minutes, minutes:seconds, hours:minutes:seconds, days-hours and so on.
_TIME = re.compile(r"\d+(:\d\d){0,2}|\d+-\d+(:\d\d){0,2}")


def _time(text: str) -> str:
    if text.upper() in ("UNLIMITED", "INFINITE"):
        return "UNLIMITED"
    if not _TIME.fullmatch(text):
        raise ValueError("not a time: give minutes, hours:minutes:seconds, days-hours, or UNLIMITED")
    return text


Time = Annotated[str, AfterValidator(_time)]


class Config(BaseModel):
    """All options; every one has a default that fits a box of Pis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manager_works: bool = Field(
        default=True,
        description="Whether the manager runs jobs, too. Its daemon needs little, so on a small cluster its processors "
        "would be wasted; on a busy one of ten or more, keep it free.",
    )
    max_time: Time = Field(default="UNLIMITED", description="How long a job may run, at most.")
