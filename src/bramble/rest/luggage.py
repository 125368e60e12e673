"""Luggage: files that go along with one job of a caller far away, and are nobody's afterwards.

``bramble --server`` brings what a verb reads, takes home what it makes, and deletes both. Where it was killed, or its
machine lost its power, nobody comes for them any more. What a person put there under another name stays.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from ..errors import NotThere

if TYPE_CHECKING:
    from .files import Files
    from .jobs import Jobs

#: What the name of luggage begins with.
PREFIX = "luggage-"

#: Seconds that it stays: after it came, and after the end of the last job that names it.
KEPT_FOR = 24 * 3600.0

_log = logging.getLogger("bramble")


async def sweep(files: Files, jobs: Jobs, now: float = 0.0) -> None:
    """Take away what nobody comes for.

    Parameters
    ----------
    now
        Seconds since the epoch; 0 for this moment.
    """
    since = (now or time.time()) - KEPT_FOR
    old = [name for name in files.before(since) if name.startswith(PREFIX)]
    # A name is 64 random bits, so what has it in it means it.
    named = jobs.arguments(since) if old else []
    for name in old:
        if any(name in arguments for arguments in named):
            continue
        try:
            await asyncio.to_thread(files.remove, name)
        except NotThere:
            continue  # somebody came
        except OSError as error:
            _log.warning("nobody comes for the file %s, and it cannot be taken away: %s", name, error)
        else:
            _log.warning("took the file %s away: nobody came for it for a day", name)
