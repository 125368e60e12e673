"""Spark: works on large data, on all hosts at once."""

from __future__ import annotations

from .. import Service
from .catalogue import artifacts
from .config import VERSIONS, Config
from .leave import leave
from .look import look
from .nodes import HADOOP, NAME_SOCKET, PORTS
from .plan import plan
from .upgrade import upgrade
from .verify import verify

SERVICE = Service(
    name="spark",
    summary="works on large data on all hosts at once: Python, SQL and Scala (Spark, standalone)",
    config=Config,
    plan=plan,
    verify=verify,
    look=look,
    leave=leave,
    versions=VERSIONS,
    upgrade=upgrade,
    artifacts=artifacts,
    ports=PORTS,
    paths=(NAME_SOCKET, HADOOP),
    needs=("java",),
    loses="jobs that run, and the records of those that ran",
)
