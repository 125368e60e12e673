"""What verbs answer, as types for the description of the service."""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, Field, create_model

from .. import api
from ..engine.report import HostResult, Report
from ..model import Cluster, Host, HostSet
from .jobs.shown import JobShown


class ReportShown(BaseModel):
    """How a run ended."""

    run: str = Field(description="Its id among the runs.")
    verb: str
    service: str
    cluster: str
    dry: bool = Field(description="Whether nothing was changed on purpose; `changed` then counts what would be.")
    hosts: list[HostResult]
    started: float
    seconds: float
    verified: bool | None = Field(description="Whether the service works; null where that was not asked.")
    notes: list[str]
    data: dict[str, Any] = Field(description="What the verb found besides.")
    changed: int
    exit_code: int = Field(description="As the command's: 0 done, 1 a host failed, 3 not verified, 130 interrupted.")


class ClusterShown(BaseModel):
    """A cluster as its file has it."""

    name: str
    hosts: list[Host]
    manager: str
    manager_rule: str
    groups: dict[str, list[str]]
    services: dict[str, Any]
    cards: dict[str, Any]
    file: str


_INSTEAD: dict[Any, Any] = {Report: ReportShown, HostSet: list[str], Cluster: ClusterShown}


def answer_of(verb: str) -> Any:
    """The type of what a verb answers."""
    kind = get_type_hints(getattr(api, verb))["return"]
    return _INSTEAD.get(kind, kind)


@cache
def job_of(verb: str) -> type[JobShown]:
    """The type of a job that carries out a verb."""
    kind = answer_of(verb)
    if kind is ReportShown:
        return ReportJob
    name = "".join(word.capitalize() for word in verb.split("_"))
    described: Any = Field(description="What the verb returned.")
    made: type[JobShown] = create_model(f"{name}Job", __base__=JobShown, result=(kind | None, described))
    return made


class ReportJob(JobShown):
    """A job that is a run on hosts."""

    result: ReportShown | None = Field(description="How it ended on each host.")
