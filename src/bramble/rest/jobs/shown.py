"""A job as callers see it, for the description of the service."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from ..problem import Problem
from .job import State


class JobShown(BaseModel):
    """A verb at work for somebody; what it was asked for, how far it is, what came of it."""

    id: str
    verb: str
    cluster: str
    service: str
    arguments: dict[str, Any] = Field(description="All that the verb was given, but secrets.")
    secrets: list[str] = Field(description="Names of the secrets that it was given, to be given again with `again`.")
    who: str = Field(description="The user who asked.")
    state: State
    hosts: list[str]
    created: float = Field(description="Seconds since the epoch, as all times here.")
    started: float | None
    ended: float | None
    run: str = Field(description="Its id among the runs, if it is one.")
    cancelled_by: str
    result: Any = Field(description="What the verb returned: a report, or what was read.")
    problem: Problem | None = Field(description="The error that ended it.")
    links: dict[str, str] = Field(description="Where it is, its events, and its run.")
