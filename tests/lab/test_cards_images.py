"""Images fetched by the command itself where disks fill up, processes are killed, and two want the same."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import imagelist
from tests.fileserver import FileServer, serving

BRAMBLE = Path(sys.executable).with_name("bramble")
CONTENT = random.Random(5).randbytes(16 << 20)
#: Words → the command, running.
Start = Callable[..., subprocess.Popen[str]]

#: What of it is surely in its file when a server pauses in the middle: the last bytes may wait for more.
HALF = len(CONTENT) // 2 - (1 << 16)

PATH = "/images/2025-11-24-raspios-trixie-arm64-lite.img.xz"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as started:
        image = imagelist.raspios("lite", "arm64", image_download_sha256=hashlib.sha256(CONTENT).hexdigest())
        image |= {"url": started.url(PATH), "image_download_size": len(CONTENT)}
        started.files = {PATH: CONTENT}
        (tmp_path / "list.json").write_bytes(imagelist.text({"os_list": [image]}))
        monkeypatch.setenv("BRAMBLE_IMAGE_LIST", str(tmp_path / "list.json"))
        yield started
        started.go_on.set()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 24 MB, where the user keeps what can be fetched again."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def bramble(server: FileServer, cache: Path) -> Iterator[Start]:
    """Starts ``bramble cards images``; nothing of it outlives the test."""
    with contextlib.ExitStack() as stack:

        def start(*words: str) -> subprocess.Popen[str]:
            line: list[str | Path] = [BRAMBLE, "cards", "images", *words]
            process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def ended(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    return out, err


def file_of(cache: Path) -> Path:
    (found,) = cache.glob("bramble/images/kept/*/*.img.xz")
    return found


def begun(server: FileServer) -> list[int]:
    """From which byte on the image was asked for, each time."""
    return [int(part.removeprefix("bytes=").rstrip("-") or 0) for path, part in server.asked if path == PATH]


def half_is_here(cache: Path) -> None:
    def size() -> int:
        return sum(part.stat().st_size for part in cache.glob("bramble/images/work/*/download.part"))

    until = time.monotonic() + 30
    while size() < HALF:
        assert time.monotonic() < until, "nothing comes"
        time.sleep(0.05)


def test_a_disk_that_fills_up_ends_it_and_it_is_gone_on_with_later(
    server: FileServer, cache: Path, bramble: Start
) -> None:
    server.faults, filler = ["pause"], cache / "filler"
    running = bramble("fetch", "raspios-lite")
    half_is_here(cache)
    with pytest.raises(OSError, match="No space left"):  # somebody else takes what was free
        filler.write_bytes(bytes(24 << 20))
    server.go_on.set()
    _, err = ended(running, 1)
    assert "raspios-lite: it cannot be kept here: No space left on device" in err and "MB of it are kept in" in err
    assert f"df -h {cache}" in err and "bramble cards images clean" in err
    assert not list(cache.glob("bramble/images/kept/*")), "half a file has the name of a whole one"

    _, err = ended(bramble("fetch", "raspios-lite"), 1)  # nothing was changed: told before the first byte
    assert "too little room" in err
    filler.unlink()
    assert " in part " in ended(bramble("list"))[0]
    ended(bramble("fetch", "raspios-lite"))
    assert file_of(cache).read_bytes() == CONTENT
    assert begun(server)[0] == 0 and all(begin >= HALF for begin in begun(server)[1:])


def test_where_one_is_killed_another_that_waited_goes_on(server: FileServer, cache: Path, bramble: Start) -> None:
    server.faults = ["pause"]
    first = bramble("fetch", "raspios-lite")
    half_is_here(cache)
    second = bramble("fetch", "raspios-lite")
    assert second.stderr is not None
    assert second.stderr.readline() == "raspios-lite: waits for another run that is fetching it\n"
    assert ended(bramble("clean"))[0] == "0 MB are free again\n", "what is being fetched was taken away"
    first.kill()
    ended(first, -9)
    ended(second)
    assert file_of(cache).read_bytes() == CONTENT
    assert len(begun(server)) == 2 and begun(server)[1] >= HALF
    assert os.listdir(cache / "bramble/images/work") == []
