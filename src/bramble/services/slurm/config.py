"""Options of the Slurm service."""

from __future__ import annotations

import io
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

#: Slurm's forms of a time: minutes, minutes:seconds, hours:minutes:seconds, days-hours and so on.
_TIME = re.compile(r"\d+(:\d\d){0,2}|\d+-\d+(:\d\d){0,2}")

#: Names of partitions and of generic resources, as Slurm's parser takes them.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

#: A device, or a range of them.
_DEVICE = re.compile(r"/dev/[A-Za-z0-9_./-]+(\[(?P<first>\d+)-(?P<last>\d+)\])?")

#: Lines of slurm.conf that would contradict what bramble writes itself.
_OURS = (
    "AccountingStorageHost",
    "AccountingStorageType",
    "ClusterName",
    "GresTypes",
    "MpiDefault",
    "NodeName",
    "PartitionName",
    "ProctrackType",
    "SlurmctldHost",
    "SlurmUser",
    "SlurmdSpoolDir",
    "StateSaveLocation",
    "TaskPlugin",
)


def _minutes(given: object) -> object:
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _time(text: str) -> str:
    if text.upper() in ("UNLIMITED", "INFINITE"):
        return "UNLIMITED"
    if not _TIME.fullmatch(text):
        raise ValueError("not a time: give minutes, hours:minutes:seconds, days-hours, or UNLIMITED")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("not a name: letters, digits, - and _, a letter first")
    return text


def _from_text(given: object) -> object:
    """Lists come as such from a cluster file, and as YAML on one line from a command line."""
    if not isinstance(given, str):
        return given
    try:
        return YAML(typ="safe").load(io.StringIO(given)) or ()
    except YAMLError:
        raise ValueError("not a list as YAML writes it") from None


Time = Annotated[str, BeforeValidator(_minutes), AfterValidator(_time)]
Name = Annotated[str, AfterValidator(_name)]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Partition(_Options):
    """A queue of its own."""

    name: Name = Field(description="By which jobs ask for it: `sbatch --partition NAME`.")
    hosts: str = Field(default="", description="A host expression; all that run jobs by default.")
    max_time: Time | None = Field(default=None, description="How long a job may run here; the cluster's by default.")


class Gres(_Options):
    """Things on a host that jobs ask for by number: an accelerator on USB, a camera, lines of GPIO."""

    name: Name = Field(description="By which jobs ask for it: `srun --gres NAME:1`.")
    hosts: str = Field(description="A host expression: those that have it.")
    count: int = Field(default=1, ge=1, le=1024, description="How many each has; with `files`, as many as those are.")
    files: str = Field(default="", description="Their devices, as /dev/video[0-1]; only jobs that ask for one see it.")

    @model_validator(mode="after")
    def _files_exist_in_devices(self) -> Gres:
        for file in self.files.split(",") if "[" not in self.files else [self.files]:
            if file and not _DEVICE.fullmatch(file):
                raise ValueError(f"gres {self.name}: {file!r} is not a device: give /dev/NAME or /dev/NAME[0-1]")
        return self

    @property
    def number(self) -> int:
        """How many each host has."""
        match = _DEVICE.fullmatch(self.files)
        if match and match["first"]:
            return int(match["last"]) - int(match["first"]) + 1
        return len(self.files.split(",")) if self.files else self.count


class Config(_Options):
    """All options; every one has a default that fits a box of Pis."""

    manager_works: bool = Field(
        default=True,
        description="Whether the manager runs jobs, too. Its daemon needs little, so on a small cluster its processors "
        "would be wasted; on a busy one of ten or more, keep it free.",
    )
    max_time: Time = Field(
        default="UNLIMITED", description="How long a job may run: minutes, h:mm:ss, d-hh, UNLIMITED."
    )
    default_time: Time | None = Field(
        default=None, description="How long a job may run that does not say; as long as any by default."
    )
    partitions: Annotated[tuple[Partition, ...], BeforeValidator(_from_text)] = Field(
        default=(),
        description="Queues, the first one the default: [{name: quick, hosts: 'red[01-02]', max_time: 30}]. Without "
        "any, one called `all` has every host.",
    )
    gres: Annotated[tuple[Gres, ...], BeforeValidator(_from_text)] = Field(
        default=(),
        description="Things that jobs ask for by number: [{name: coral, hosts: red01, count: 1}].",
    )
    mpi: Literal["none", "pmix"] = Field(
        default="none",
        description="`pmix` brings Open MPI, started by `srun` over PMIx, and proves it by an allreduce.",
    )
    accounting: bool = Field(
        default=False,
        description="Keep what every job used in a database on the manager (MariaDB), for `sacct` and `sreport`. Needs "
        "2 GB of memory there.",
    )
    extra: Annotated[tuple[str, ...], BeforeValidator(_from_text)] = Field(
        default=(), description="Further lines for slurm.conf: ['SchedulerParameters=bf_interval=10']."
    )
    leave_deadline: float = Field(
        default=3600.0, ge=0, description="Seconds that jobs on a host to be dropped may take to end."
    )

    @model_validator(mode="after")
    def _no_contradictions(self) -> Config:
        for title, items in (("partitions", self.partitions), ("gres", self.gres)):
            names = [item.name.lower() for item in items]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{title}: {', '.join(twice)} is there twice")
        for line in self.extra:
            key = line.partition("=")[0].strip()
            if "\n" in line or "=" not in line:
                raise ValueError(f"extra: {line!r} is not one line of the form Key=value")
            if key.lower() in {ours.lower() for ours in _OURS}:
                raise ValueError(f"extra: {key} is bramble's own to set")
        return self
