"""Options of the Hadoop service."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

#: Those that there are, oldest first. A file system of the one can be read by the others as it is (layout -67 of names,
#: -57 of contents), so a daemon may also go back; one that writes another layout needs more than `upgrade` does.
VERSIONS = ("3.4.2", "3.5.0")


class Config(BaseModel):
    """All options; every one has a default that fits a box of Pis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[VERSIONS] = Field(  # type: ignore[valid-type]
        default=VERSIONS[-1],
        description="Of Hadoop. It is kept in the cluster's file, and a later one comes by an upgrade.",
    )
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
