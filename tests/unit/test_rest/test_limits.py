"""How much a service takes on: as many jobs and as large files as it was told, and never the last of its disk."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click
import pytest
from tests.unit.test_rest.conftest import Callers
from tests.unit.test_rest.test_conduct import archive, member

from bramble.cli import bramble
from bramble.cli.serve import serve
from bramble.errors import UsageError
from bramble.rest import room, sizes
from bramble.rest import serve as rest_serve
from bramble.rest.service import Limits, Service

MB = 10**6


@pytest.mark.parametrize(
    ("text", "size"), [("500M", 500 * MB), ("8G", 8000 * MB), ("1tib", 2**40), (" 20KB ", 20_000), ("1.5G", 1500 * MB)]
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert sizes.read(text) == size


@pytest.mark.parametrize("text", ["", "8", "0G", "-1G", "8X", "G", "8G8", "much"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        sizes.read(text)


def test_what_the_command_says_is_the_usual_is_it() -> None:
    usual: dict[str | None, Any] = {option.name: option.default for option in serve.params}
    assert Limits(jobs=usual["jobs"], largest_file=sizes.read(usual["largest_file"])) == Limits()
    helped = {option.name: option.help or "" for option in serve.params if isinstance(option, click.Option)}
    assert f"({usual['jobs']})" in helped["jobs"]
    assert f"({usual['largest_file']})" in helped["largest_file"]


class Server:
    """Keeps what it was made with, instead of a service."""

    made: Any = None

    def __init__(self, *_: Any, **given: Any) -> None:
        type(self).made = given
        raise UsageError("that will do")


def test_the_service_is_told_its_limits(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_serve, "Server", Server)
    with pytest.raises(UsageError, match="that will do"):
        bramble.main(["serve", "--jobs", "2", "--largest-file", "2G"], standalone_mode=False)
    assert Server.made["limits"] == Limits(jobs=2, largest_file=2000 * MB)


def test_so_does_the_unit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("bramble.cli.serve_install.install", lambda words, *_, **__: told.extend(words))
    bramble.main(["serve", "--install", "--jobs", "2", "--largest-file", "2G"], standalone_mode=False)
    given = dict(zip(told[::2], told[1::2], strict=True))
    assert (given["--jobs"], given["--largest-file"]) == ("2", "2G")


@pytest.mark.parametrize("words", [("--jobs", "0"), ("--largest-file", "much")])
def test_a_limit_that_is_none_is_refused(home: Path, words: tuple[str, str]) -> None:
    with pytest.raises(Exception, match=r"0 is not in the range|'much' is no size"):
        bramble.main(["serve", *words], standalone_mode=False)


async def test_limits_reach_jobs_and_files(home: Path) -> None:
    service = Service(home / "service", Limits(jobs=3, largest_file=1234))
    assert (service.jobs.at_once, service.files.largest) == (3, 1234)
    await service.close()


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of the disk that are free, which a test may change."""
    free = [room.SPARED + 10 * MB]
    real = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=free[0]))
    return free


async def test_what_does_not_fit_is_refused_before_it_comes(
    service: Service, callers: Callers, free: list[int]
) -> None:
    asked: list[int] = []

    async def content() -> AsyncIterator[bytes]:
        asked.append(1)
        yield b"x"

    headers = {"Content-Length": str(11 * MB)}
    answer = await callers("operator").put("/api/v1/files/app.tar", content=content(), headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (507, "there is no room for app.tar on the service's disk")
    assert answer.json()["detail"] == "266.0 MB are free there, and 256.0 MB have to stay free"
    service.files.largest = 2 * MB
    answer = await callers("operator").put("/api/v1/files/app.tar", content=content(), headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (413, "app.tar is larger than 2.0 MB, and no file may be")
    assert "--largest-file" in answer.json()["hint"]
    assert list(service.files.folder.iterdir()) == []


async def test_who_does_not_say_how_much_comes_does_not_fill_the_disk(
    service: Service, callers: Callers, free: list[int]
) -> None:
    async def content() -> AsyncIterator[bytes]:
        for _ in range(20):
            free[0] -= MB  # as each chunk that is written takes it
            yield b"x" * MB

    answer = await callers("operator").put("/api/v1/files/app.tar", content=content())
    assert answer.status_code == 507
    assert free[0] >= room.SPARED - MB
    assert list(service.files.folder.iterdir()) == []


async def test_an_archive_does_not_fill_the_disk_where_it_is_unpacked(
    service: Service, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = shutil.disk_usage("/"), 100 * MB + room.SPARED

    def usage(folder: Path) -> Any:
        used = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        return real._replace(free=before - used)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    sent = archive(*(member(f"large{number}", 30 * MB) for number in range(4)))
    answer = await callers("operator").put("/api/v1/files/app?unpack=true", content=sent)
    assert answer.status_code == 507, answer.text
    assert list(service.files.folder.iterdir()) == []
