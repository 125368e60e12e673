"""Files that a killed caller left behind go by themselves; those that a person put there, or a job needs, stay."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from tests.service import Running
from tests.unit.test_rest.test_jobs import Work, asked

from bramble.rest import luggage
from bramble.rest.database import Database
from bramble.rest.files import Files
from bramble.rest.jobs import Jobs
from bramble.rest.service import Service

NAME = "luggage-0123456789abcdef"


@pytest.fixture
def area(service: Service) -> Path:
    """Where the service has the files of its callers."""
    return service.files.folder


def names(folder: Path) -> list[str]:
    """Of all that is in it."""
    return sorted(path.name for path in folder.iterdir())


def later(seconds: float = 60) -> float:
    """A moment a day from now, and so long after that."""
    return time.time() + luggage.KEPT_FOR + seconds


async def test_what_nobody_comes_for_goes_after_a_day(service: Service, area: Path) -> None:
    (area / NAME).write_text("x")
    (area / "luggage-folder" / "inner").mkdir(parents=True)
    (area / "luggage-folder" / "inner" / "file").write_text("x")
    os.utime(area / "luggage-folder", (0, 0))  # an archive said so: that it came just now, it cannot hide
    for mine in ("app.tar", "luggage", "fetched-20260101-101500", "my-luggage-1"):
        (area / mine).write_text("mine")
    before = names(area)
    await luggage.sweep(service.files, service.jobs)
    await luggage.sweep(service.files, service.jobs, later(-60))
    assert names(area) == before
    await luggage.sweep(service.files, service.jobs, later())
    assert names(area) == sorted(["app.tar", "luggage", "fetched-20260101-101500", "my-luggage-1"])


async def test_what_a_job_has_stays_until_a_day_after_its_end(service: Service, area: Path) -> None:
    (area / NAME).mkdir()
    working, waiting = Work("red"), Work("red")
    await service.jobs.submit(asked(working, arguments={"files": [f"{NAME}/notes.txt"]}))
    queued = await service.jobs.submit(asked(waiting, arguments={"into": "luggage-queued"}))
    (area / "luggage-queued").mkdir()
    await luggage.sweep(service.files, service.jobs, later())
    assert len(names(area)) == 2, "one is at work, one waits"
    working.go.set()
    waiting.go.set()
    assert await service.jobs.ended(queued, 10)
    with service.database.change() as change:  # they came long before their jobs ended
        change.execute("UPDATE jobs SET ended = ended + 3600")
    await luggage.sweep(service.files, service.jobs, later())
    assert len(names(area)) == 2, "who asked may still be fetching it"
    await luggage.sweep(service.files, service.jobs, later(3660))
    assert names(area) == []


async def test_a_job_that_was_cut_off_by_a_kill_keeps_it_for_a_day_to_be_done_again(
    service: Service, area: Path
) -> None:
    begun = await service.jobs.submit(asked(Work("red"), arguments={"file": NAME}))
    await asyncio.sleep(0.7)
    (area / NAME).write_text("x")
    anew = Jobs(Database(service.database.path))  # as the next process finds it
    assert anew.get(begun.id).state == "cut off"
    with service.database.change() as change:
        change.execute("UPDATE jobs SET started = started + 3600")
    await luggage.sweep(service.files, anew, later())
    assert (area / NAME).exists()
    await luggage.sweep(service.files, anew, later(3660))
    assert not (area / NAME).exists()


async def test_what_cannot_be_taken_away_does_not_stop_the_rest(
    service: Service, area: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in "12":
        (area / f"luggage-{number}").mkdir()
    real = shutil.rmtree

    def rmtree(path: Path, *args: Any, **more: Any) -> None:
        if "luggage-1" in path.name:
            raise PermissionError(13, "Permission denied")
        real(path, *args, **more)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    await luggage.sweep(service.files, service.jobs, later())
    assert service.files.all() == []
    (left,) = names(area)
    assert "luggage-1, and it cannot be taken away: [Errno 13] Permission denied" in caplog.text
    assert "took the file luggage-2 away" in caplog.text
    Files(area)
    assert f"{left} cannot be taken away: [Errno 13] Permission denied" in caplog.text, "and still it starts"
    monkeypatch.undo()
    Files(area)
    assert names(area) == []


def test_a_running_service_looks_by_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(luggage, "KEPT_FOR", 0.0)
    files = Files(home / "service" / "files")
    for name in (NAME, "app.tar"):
        (files.folder / name).write_text("x")
    running = Running(home / "service")
    running.start()
    end = time.monotonic() + 20
    while (files.folder / NAME).exists() and time.monotonic() < end:
        time.sleep(0.05)
    running.stop()
    assert names(files.folder) == ["app.tar"]
