"""A command with ``--server`` is killed: what it was about to bring is not there, what a job has goes a day later."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.service import Running
from tests.unit.test_client.test_files import Work, area, done_by, here, names

from bramble.rest import luggage

__all__ = ["area", "done_by", "here"]

WITHIN = 30

_COPY = """
import os, sys
from bramble.client import Remote
from bramble.client.wire import Wire

there = Remote(Wire(sys.argv[1], os.environ["AUTHORITY"], os.environ["TOKEN"]))
there.run(there.copy(sys.argv[2:], hosts="red"))
"""


def copying(service: Running, *files: str) -> subprocess.Popen[bytes]:
    """A process of its own that copies files by way of a service."""
    login = service.login("admin")
    known = {"AUTHORITY": login.authority, "TOKEN": login.token}
    return subprocess.Popen([sys.executable, "-c", _COPY, service.url, *files], env={**os.environ, **known})


def kill(process: subprocess.Popen[bytes]) -> None:
    """End it without a word."""
    process.kill()
    process.wait(WITHIN)


def until(true: Callable[[], Any]) -> None:
    """Wait for something that happens elsewhere."""
    end = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_who_is_killed_on_the_way_there_leaves_nothing(service: Running, area: Path, here: Path) -> None:
    with (here / "large").open("wb") as large:
        large.truncate(4 * 2**30)
    process = copying(service, "large")
    until(lambda: names(area))
    kill(process)
    until(lambda: not names(area))
    assert service.jobs() == []


def test_what_a_job_has_when_its_caller_is_killed_goes_a_day_later(
    service: Running, area: Path, here: Path, done_by: Callable[[str, Work], None]
) -> None:
    go, seen, loops = asyncio.Event(), list[str](), list[asyncio.AbstractEventLoop]()

    def sweep(seconds: float) -> None:
        """As the service does it by itself, in its own thread, so many seconds from now."""
        kept = service._server.service
        work = luggage.sweep(kept.files, kept.jobs, time.time() + seconds)
        asyncio.run_coroutine_threadsafe(work, loops[0]).result(WITHIN)

    async def copy(*, files: list[str], **_: Any) -> dict[str, Any]:
        loops.append(asyncio.get_running_loop())
        seen.append("began")
        await go.wait()
        seen.append(Path(files[0]).read_text())  # noqa: ASYNC240
        return {}

    done_by("copy", copy)
    (here / "notes.txt").write_text("one")
    (area / "mine.txt").write_text("mine")
    process = copying(service, "notes.txt")
    until(lambda: seen)
    kill(process)
    sweep(10 * luggage.KEPT_FOR)
    loops[0].call_soon_threadsafe(go.set)
    until(lambda: service.jobs() == ["done"])
    assert seen == ["began", "one"], "the job needed it to its end"
    sweep(luggage.KEPT_FOR - 60)
    assert len(names(area)) == 2
    sweep(luggage.KEPT_FOR + 60)
    assert names(area) == ["mine.txt"]
