"""Hadoop: files across hosts (HDFS), and works on them where they lie (YARN, MapReduce)."""

from __future__ import annotations

from .. import Service
from .catalogue import artifacts
from .config import VERSIONS, Config
from .deep import deep
from .leave import leave
from .look import look
from .plan import plan
from .refusals import PATHS, PORTS
from .upgrade import upgrade
from .verify import verify

SERVICE = Service(
    name="hadoop",
    summary="keeps files across all hosts and works on them where they lie: HDFS, YARN, MapReduce (Hadoop)",
    config=Config,
    plan=plan,
    verify=verify,
    deep=deep,
    look=look,
    leave=leave,
    versions=VERSIONS,
    upgrade=upgrade,
    artifacts=artifacts,
    ports=PORTS,
    paths=PATHS,
    needs=("java",),
    loses="jobs that run or wait",
)
