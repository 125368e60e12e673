"""Java: what programs of the Java world run on, for Spark, Hadoop and people."""

from __future__ import annotations

from .. import Service
from .config import Config
from .plan import plan
from .verify import verify

SERVICE = Service(
    name="java",
    summary="the release's own OpenJDK, 17 or later, on each host (Java)",
    config=Config,
    plan=plan,
    verify=verify,
)
