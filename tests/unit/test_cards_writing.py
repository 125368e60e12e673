"""Images into files: the same way as onto cards, which need root and are in tests/lab."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.unit.cards import MIB, image

from bramble.cards.blocks import Blocks
from bramble.cards.unpack import image_at
from bramble.cards.writing import ImageFile, Target, write
from bramble.cards.writing.held_back import HELD, Differs, HeldBack
from bramble.cards.writing.medium import Medium
from bramble.cards.writing.ring import BLOCK, SLOTS, Ring, Stopped
from bramble.errors import BrambleError, CardFailed, PlanError
from bramble.runner.events import CardProgress

DATA = image(9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where nothing else is."""
    (tmp_path / "cards").mkdir()
    return tmp_path / "cards"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.img"
    path.write_bytes(DATA)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def files(folder: Path, count: int) -> list[ImageFile]:
    return [ImageFile(host=f"red{n:02}", path=folder / f"red{n:02}.img") for n in range(1, count + 1)]


async def test_many_files_each_with_its_own_host(source: Path, folder: Path) -> None:
    def finish(target: Target, card: Blocks) -> None:
        assert card.read(HELD - 4, 8) == DATA[HELD - 4 : HELD + 4]
        for offset in (1000, HELD - 2, 3 * MIB + 511, len(DATA) - 5):
            card.write(offset, target.host.encode())
        assert card.read(HELD - 3, 7) == DATA[HELD - 3 : HELD - 2] + target.host.encode() + DATA[HELD + 3 : HELD + 4]

    targets = files(folder, 3)
    seen: list[CardProgress] = []
    outcomes = await write(image_at(source), targets, finish=finish, tell=seen.append)
    assert [(one.target, one.error, one.size) for one in outcomes] == [(one, None, len(DATA)) for one in targets]
    for target in targets:
        wanted = bytearray(DATA)
        for offset in (1000, HELD - 2, 3 * MIB + 511, len(DATA) - 5):
            wanted[offset : offset + 5] = target.host.encode()
        assert target.path.read_bytes() == wanted
        assert target.path.stat().st_mode & 0o777 == 0o600
        assert target.path.stat().st_blocks * 512 < len(DATA), "zeros take room"
        mine = [event.phase for event in seen if event.host == target.host]
        assert [phase for phase, _ in itertools.groupby(mine)] == ["writing", "verifying", "finishing", "done"]
    assert names(folder) == ["red01.img", "red02.img", "red03.img"]


@pytest.mark.parametrize("size", [512, 4096, MIB - 512, MIB, MIB + 512, BLOCK, BLOCK + 512, SLOTS * BLOCK + MIB])
async def test_any_length(tmp_path: Path, folder: Path, size: int) -> None:
    data = bytearray(image(1, hole=False) * (size // MIB + 1))[:size]
    (tmp_path / "source").write_bytes(data)
    [target] = files(folder, 1)
    await write(image_at(tmp_path / "source"), [target])
    assert target.path.read_bytes() == data


async def test_files_where_there_is_no_linux(source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fadvise")
    monkeypatch.setattr("bramble.cards.writing.medium._DIRECT", 0)
    [target] = files(folder, 1)
    [outcome] = await write(image_at(source), [target])
    assert outcome.error is None
    assert target.path.read_bytes() == DATA


async def test_the_right_hash_and_a_wrong_one(source: Path, folder: Path) -> None:
    [target] = files(folder, 1)
    with pytest.raises(BrambleError, match="is not what it must be"):
        await write(image_at(source), [target], sha256="0" * 64)
    assert names(folder) == []
    await write(image_at(source), [target], sha256=hashlib.sha256(DATA).hexdigest())
    assert target.path.exists()


async def test_one_that_fails_does_not_stop_the_others(source: Path, folder: Path) -> None:
    def finish(target: Target, _card: Blocks) -> None:
        if target.host == "red02":
            raise PlanError("there is no such file", hint="ls")
        if target.host == "red03":
            raise OSError(5, "Input/output error")

    targets = [*files(folder, 3), ImageFile(host="red04", path=folder / "none" / "red04.img")]
    outcomes = await write(image_at(source), targets, finish=finish)
    assert [str(one.error).splitlines()[0] for one in outcomes] == [
        "None",
        "red02: there is no such file",
        f"red03: {targets[2].path} failed at 8 MB, and no system starts from it: Input/output error",
        "red04: it cannot be written: No such file or directory",
    ]
    assert names(folder) == ["red01.img"]


async def test_a_file_that_was_there_stays_until_the_new_one_is_whole(source: Path, folder: Path) -> None:
    [target] = files(folder, 1)
    target.path.write_text("old")
    with pytest.raises(BrambleError):
        await write(image_at(source), [target], sha256="0" * 64)
    assert target.path.read_text() == "old"


async def test_interrupted_in_the_middle(source: Path, folder: Path) -> None:
    begun, going_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def finish(_target: Target, _card: Blocks) -> None:
        loop.call_soon_threadsafe(begun.set)
        going_on.wait()
        raise Stopped

    writing = asyncio.create_task(write(image_at(source), files(folder, 1), finish=finish))
    await asyncio.wait_for(begun.wait(), 30)
    writing.cancel()
    going_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert names(folder) == []


async def test_a_stream_that_breaks_off(folder: Path) -> None:
    class Broken:
        name, size = "broken.img", 0

        def __init__(self) -> None:
            self.left = 3

        @contextmanager
        def open(self) -> Iterator[Broken]:
            yield self

        def readinto(self, buffer: memoryview, /) -> int:
            self.left -= 1
            if not self.left:
                raise BrambleError("broken.img is cut off or damaged")
            return len(buffer)

    with pytest.raises(BrambleError, match="cut off"):
        await write(Broken(), files(folder, 2))
    assert names(folder) == []


def test_what_is_changed_on_a_card_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "card").write_bytes(DATA)
    with (tmp_path / "card").open("r+b") as file:
        card = HeldBack(Medium(file.fileno()), DATA[:HELD], len(DATA))
        card.write(3 * MIB, b"configuration")
        card.write(5, b"first")
        assert file.seek(0) == 0 and file.read(MIB) == DATA[:MIB], "the beginning is held back"
        card.check()
        card.write(4 * MIB, b"configuration")
        file.seek(4 * MIB)
        file.write(b"C")
        file.flush()
        with pytest.raises(Differs) as differs:
            card.check()
        assert differs.value.args == (4 * MIB,)
        with pytest.raises(ValueError, match="outside"):
            card.write(len(DATA) - 1, b"ab")
        card.reveal()
        file.seek(0)
        assert file.read(10) == DATA[:5] + b"first"


def test_a_ring_is_as_fast_as_its_slowest_reader() -> None:
    class Endless:
        count = 0

        def readinto(self, buffer: memoryview, /) -> int:
            self.count += 1
            return len(buffer)

    ring, stream = Ring(), Endless()
    slow, quick = ring.reader(), iter(ring.reader())

    def fill() -> None:
        with pytest.raises(Stopped):
            ring.fill(stream)

    filling = threading.Thread(target=fill)
    filling.start()
    offsets = [next(quick)[0] for _ in range(SLOTS)]
    assert offsets == [n * BLOCK for n in range(SLOTS)]
    filling.join(0.2)
    assert stream.count == SLOTS, "nothing is read that has no place to stay"
    slow.close()
    assert next(quick)[0] == SLOTS * BLOCK
    ring.stop()
    filling.join()
    with pytest.raises(Stopped):
        list(quick)


def test_a_failure_names_its_place() -> None:
    error = CardFailed("it failed", host="red01", device="/dev/sda", offset=4096, why="Input/output error")
    assert (error.device, error.offset, str(error)) == ("/dev/sda", 4096, "red01: it failed: Input/output error")
