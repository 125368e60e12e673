"""Room on the service's disk: files of callers do not fill it, so that the service can still write what happens."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.filesize import decimal

from .problem import Refused

#: Bytes that files of callers leave free: jobs, the audit and the system write to the same disk.
SPARED = 256 * 10**6


def require(folder: Path, name: str, size: int = 0) -> None:
    """Refuse what would leave too little.

    Parameters
    ----------
    name
        What it is called, for the person who is refused.
    size
        Bytes that are still to come.

    Raises
    ------
    Refused
        507: there is no room for it.
    """
    free = shutil.disk_usage(folder).free
    if free - size < SPARED:
        raise Refused(
            507, f"there is no room for {name} on the service's disk",
            why=f"{decimal(free)} are free there, and {decimal(SPARED)} have to stay free",
            hint="take away files that are not needed any more (GET /api/v1/files), or free some space there: df -h",
        )  # fmt: skip
