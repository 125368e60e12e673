"""The service dies in the middle (kill -9, the power): the next start finds nothing half, and says what was cut off."""

from __future__ import annotations

import io
import shutil
import socket
import ssl
import tarfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.test_rest.started import PASSWORD, Start, Started

from bramble.rest.files import Files

WITHIN = 30


def until(true: Callable[[], Any]) -> None:
    """Wait for something that happens elsewhere."""
    end = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@contextmanager
def logged_in(service: Started, folder: Path) -> Iterator[httpx.Client]:
    """The service's admin."""
    trusted = ssl.create_default_context(cafile=str(folder / "tls/ca.crt"))
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(verify=trusted, base_url=f"{service.url}api/v1", timeout=WITHIN, headers=headers) as made:
        assert made.post("/session", json={"name": "ada", "password": PASSWORD}).is_success
        yield made


def kill(service: Started) -> None:
    """End it without a word."""
    service.process.kill()
    service.process.wait(WITHIN)


@contextmanager
def sending(client: httpx.Client, address: str, content: Iterable[bytes]) -> Iterator[None]:
    """Sends meanwhile what will not arrive."""
    failed: list[Exception] = []

    def send() -> None:
        try:
            client.put(address, content=content)
        except httpx.TransportError as error:
            failed.append(error)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    yield
    thread.join(WITHIN)
    assert failed


def packed(*numbers: int) -> bytes:
    """An archive with a folder that has files with these numbers."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=1) as tar:
        for number in numbers:
            entry = tarfile.TarInfo(f"inner/{number}")
            entry.size = 10
            tar.addfile(entry, io.BytesIO(b"0123456789"))
    return made.getvalue()


def names(folder: Path) -> list[str]:
    """Of all that is in it."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where somebody takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def archive() -> bytes:
    """Takes a while to unpack."""
    return packed(*range(20_000))


class Killed(BaseException):
    """Here ends all."""


async def test_what_is_being_taken_away_when_all_ends_is_not_there_by_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rmtree(folder: Path) -> None:
        (folder / "inner" / "1").unlink()
        raise Killed

    async def sent(archive: bytes) -> AsyncIterator[bytes]:
        yield archive

    files = Files(tmp_path / "files")
    await files.put("app", sent(packed(1, 2)), unpack=True)
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with pytest.raises(Killed):
        await files.put("app", sent(packed(3)), unpack=True)
    assert sorted(str(path.relative_to(files.folder)) for path in files.find("app").rglob("*")) == [
        "app/inner", "app/inner/3",
    ]  # fmt: skip
    await files.put("other", sent(packed(1, 2)), unpack=True)
    with pytest.raises(Killed):
        files.remove("other")
    assert [one.name for one in files.all()] == ["app"]
    monkeypatch.undo()
    assert names(Files(files.folder).folder) == ["app"]


def test_nothing_is_half_after_a_kill(start: Start, folder: Path, silent: int, archive: bytes) -> None:
    service, files = start(), folder / "files"

    def without_end() -> Iterator[bytes]:
        while service.process.poll() is None:
            yield b"the new one" * 10_000
            time.sleep(0.01)

    with logged_in(service, folder) as ada:
        for name, content in (("app.tar", b"the old one"), ("luggage-1", b"notes")):
            assert ada.put(f"/files/{name}", content=content).is_success
        # Two jobs want the same host, which never answers.
        given = {"hosts": "localhost", "files": ["luggage-1"], "port": silent, "connect_timeout": 600}
        one, other = (ada.post("/clusters/localhost/copy", json=given).json()["id"] for _ in range(2))
        until(lambda: ada.get(f"/jobs/{one}").json()["state"] == "running")
        until(lambda: ada.get(f"/jobs/{other}").json()["state"] == "queued")
        # A file is on its way, and a folder is laid down.
        with sending(ada, "/files/app.tar", without_end()):
            until(lambda: any(path.stat().st_size > 1_000_000 for path in files.glob(".app.tar.*")))
            with sending(ada, "/files/folder?unpack=true", [archive]):
                until(lambda: any(files.glob(".folder.*/inner/100")))
                kill(service)
    assert len(names(files)) == 5, "it could not tidy up any more"

    service = start()
    assert names(files) == ["app.tar", "luggage-1"]
    with logged_in(service, folder) as ada:
        assert ada.get("/files/app.tar").text == "the old one"
        for id in (one, other):
            cut = ada.get(f"/jobs/{id}").json()
            assert (cut["state"], cut["result"], cut["who"]) == ("cut off", None, "ada")
            told = ada.get(f"/jobs/{id}/events").text
            assert told.count("event: end") == 1
            assert '"state": "cut off"' in told
        assert {job["id"] for job in ada.get("/jobs?state=cut off").json()} == {one, other}
        assert ada.get("/jobs?state=running").json() == ada.get("/jobs?state=queued").json() == []
        # Done again: what it needs is there, and nobody holds its host any more.
        again = ada.post(f"/jobs/{one}/again")
        assert again.status_code == 202, again.text
        until(lambda: ada.get(f"/jobs/{again.json()['id']}").json()["state"] == "running")
        assert ada.post(f"/jobs/{again.json()['id']}/cancel").json()["state"] == "cancelled"
    assert service.end()[0] == 0
