"""Options of the Hadoop service."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Config(BaseModel):
    """All options; every one has a default that fits a box of Pis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manager_works: bool = Field(
        default=False,
        description="Whether the manager keeps files and runs tasks, too, beside the daemons that command. It needs "
        "4 GB of memory for both. A lone host always does.",
    )
    replication: int | None = Field(
        default=None,
        ge=1,
        le=512,
        description="On how many hosts each new file lies; by default on three, or on all where there are fewer.",
    )
    yarn: bool = Field(
        default=True, description="Whether jobs run, by YARN and MapReduce. Without it there are files alone (HDFS)."
    )
    container_memory: int | None = Field(
        default=None,
        ge=1024,
        description="MiB that tasks may have together on each host that works; by default about two thirds of what it "
        "has.",
    )
    leave_deadline: float = Field(
        default=3600.0,
        ge=0,
        description="Seconds within which the files of hosts to be dropped must have been copied to others.",
    )
