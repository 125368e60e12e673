"""Slurm: a batch system that runs jobs on all hosts."""

from __future__ import annotations

from .. import Service
from .config import Config
from .leave import leave
from .plan import plan
from .verify import verify

SERVICE = Service(
    name="slurm",
    summary="a batch system: jobs wait in a queue and run on all hosts (Slurm)",
    config=Config,
    plan=plan,
    verify=verify,
    leave=leave,
    packages=("slurmctld", "slurmd"),
    loses="jobs that run or wait",
)
