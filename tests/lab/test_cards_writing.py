"""Cards that are real block devices, good ones and such as fail in every way that cards do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tests.lab.faulty_card import Faults, faulty, loop_device
from tests.unit.cards import MIB, image

from bramble.cards.blocks import Blocks
from bramble.cards.disks import Disk, disk_at, refusals
from bramble.cards.unpack import image_at
from bramble.cards.writing import Card, Finish, ImageFile, Outcome, Target, write
from bramble.errors import BrambleError, CardFailed, CardRefused

#: Of the image and of a card, MiB.
SIZE, ROOM = 10, 16

#: What was on a card before: something that looks bootable.
BEFORE = image(ROOM, seed=7, hole=False)
DATA = image(SIZE)
CONFIGURED = 8 * MIB + 77

Make = Callable[..., Disk]


@cache
def packed() -> bytes:
    return subprocess.run(["xz", "-0", "-T2"], input=DATA, check=True, capture_output=True).stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.img.xz"
    path.write_bytes(packed())
    return path


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A function that makes a card; what is wrong with it are its arguments."""
    with contextlib.ExitStack() as stack:
        names = iter("abcdefgh")

        def card(*, room: int = ROOM, options: tuple[str, ...] = (), **faults: object) -> Disk:
            backing = tmp_path / f"card-{next(names)}"
            backing.write_bytes(BEFORE[: room * MIB])
            if faults:
                return stack.enter_context(faulty(backing, Faults(**faults)))  # type: ignore[arg-type]
            return disk_at(stack.enter_context(loop_device(backing, *options)))

        yield card


def meant(disk: Disk, host: str = "red01") -> Card:
    """A loop device is like no card, so it is named."""
    return Card(host=host, disk=disk, force=(disk.identity,))


def beginning(disk: Disk, size: int = MIB) -> bytes:
    with Path(disk.path).open("rb", buffering=0) as file:
        return file.read(size)


def configure(target: Target, card: Blocks) -> None:
    card.write(600, target.host.encode())
    card.write(CONFIGURED, target.host.encode())


def configured(host: str) -> bytes:
    wanted = bytearray(DATA)
    for offset in (600, CONFIGURED):
        wanted[offset : offset + len(host)] = host.encode()
    return bytes(wanted)


def burn(source: Path, targets: Sequence[Target], finish: Finish = configure) -> list[Outcome]:
    return asyncio.run(write(image_at(source), targets, finish=finish))


def failure(source: Path, disk: Disk, finish: Finish = configure) -> BrambleError:
    [outcome] = burn(source, [meant(disk)], finish)
    assert outcome.error is not None
    return outcome.error


def test_good_cards_get_what_they_should(source: Path, make: Make, tmp_path: Path) -> None:
    cards = [make(), make(options=("--sector-size", "4096")), make(room=SIZE)]
    targets: list[Target] = [meant(card, f"red{n:02}") for n, card in enumerate(cards, 1)]
    targets.append(ImageFile(host="red04", path=tmp_path / "red04.img"))
    outcomes = burn(source, targets)
    assert [one.error for one in outcomes] == [None] * 4
    for target in targets:
        assert Path(target.device).read_bytes()[: len(DATA)] == configured(target.host)
    assert Path(cards[0].path).read_bytes()[-MIB:] == bytes(MIB), "no copy of an old partition table stays at the end"


@pytest.mark.parametrize(
    ("faults", "places", "words"),
    [
        ({"bad": (6 * MIB, 6 * MIB + 511)}, range(4 * MIB, 10 * MIB), "Input/output error"),
        ({"bad": (0, 511)}, range(1), "Input/output error"),
        ({"real": 6 * MIB}, range(6 * MIB, 6 * MIB + 1), "reads back otherwise"),
        ({"flipped": 5 * MIB + 5}, range(5 * MIB, 5 * MIB + 1), "reads back otherwise"),
        ({"flipped": 700}, range(1), "reads back otherwise"),
        ({"pulled": 7 * MIB}, range(4 * MIB, 8 * MIB), "failed at "),
        ({"pulled": 7 * MIB, "pace": 20e6}, range(4 * MIB, 8 * MIB), "failed at "),
    ],
    ids=["bad sector", "bad first sector", "lost writes", "flipped bit", "flipped at last", "pulled", "pulled slowly"],
)
def test_a_card_that_fails(source: Path, make: Make, faults: dict[str, object], places: range, words: str) -> None:
    """The one that fails is told with its place, and starts nothing; the other is not disturbed."""
    bad, good = make(**faults), make()
    outcomes: list[Outcome] = burn(source, [meant(bad), meant(good, "red02")])
    error = outcomes[0].error
    assert isinstance(error, CardFailed)
    assert (error.host, error.device) == ("red01", bad.path)
    assert error.offset in places
    assert words in str(error)
    assert error.hint
    if "pulled" not in faults and 0 not in places:
        assert beginning(bad) == bytes(MIB)
    assert outcomes[1].error is None
    assert Path(good.path).read_bytes()[: len(DATA)] == configured("red02")


def test_configuration_that_does_not_arrive(source: Path, make: Make) -> None:
    """It was right when it was read back; only what the host's own files changed is wrong."""
    disk = make()

    def lose(target: Target, card: Blocks) -> None:
        configure(target, card)
        with Path(disk.identity).open("r+b") as file:  # behind the device's back
            file.seek(CONFIGURED)
            file.write(b"lost")

    error = failure(source, disk, lose)
    assert isinstance(error, CardFailed)
    assert error.offset == CONFIGURED - CONFIGURED % 512
    assert beginning(disk) == bytes(MIB)


def test_cards_that_are_refused_are_not_touched(source: Path, make: Make, tmp_path: Path) -> None:
    small, locked, unnamed, other = make(room=SIZE - 1), make(options=("--read-only",)), make(), make()
    cards = [meant(small), meant(locked), Card(host="red01", disk=unnamed), meant(replace(other, sequence=1))]
    outcomes = burn(source, cards)
    for outcome, words in zip(
        outcomes, ("the image takes", "read-only", f"--force-device {unnamed.identity}", "another disk"), strict=True
    ):
        assert isinstance(outcome.error, CardRefused)
        assert words in str(outcome.error)
        assert outcome.error.host == "red01"
    for disk in (small, locked, unnamed, other):
        assert Path(disk.identity).read_bytes() == BEFORE[: disk.size]


def test_a_card_that_was_exchanged_meanwhile(source: Path, make: Make, tmp_path: Path) -> None:
    """The same reader, and a card of the same size in it."""
    shown = make()
    other = tmp_path / "other"
    other.write_bytes(BEFORE)
    subprocess.run(["losetup", "--detach", shown.path], check=True)
    subprocess.run(["losetup", shown.path, other], check=True)
    error = failure(source, shown)
    assert isinstance(error, CardRefused)
    assert "another disk or card is there now" in error.why
    assert other.read_bytes() == BEFORE


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("when", ["before it is shown", "after it was shown"])
def test_a_mounted_card(source: Path, make: Make, tmp_path: Path, where: str, when: str) -> None:
    disk, folder = make(), tmp_path / "mnt"
    folder.mkdir()
    subprocess.run(["mke2fs", "-q", "-F", disk.path], check=True)
    before = Path(disk.identity).read_bytes()
    script = f"mount -o ro {disk.path} {folder} && echo mounted && read end; umount {folder}"
    apart = ["unshare", "--mount", "--propagation", "private"] if where == "elsewhere" else []
    holder = subprocess.Popen([*apart, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdin is not None
    try:
        assert holder.stdout.readline() == b"mounted\n"
        if when == "before it is shown":
            found = disk_at(disk.path)
            assert any(f"mounted at {folder}" in one.why for one in refusals(found, force=[found.identity]))
        error = failure(source, disk)
        assert isinstance(error, CardRefused)
        assert "in use" in error.why
    finally:
        holder.communicate(b"\n")
    assert Path(disk.identity).read_bytes() == before


def test_what_a_loop_device_reads_is_refused(source: Path, make: Make) -> None:
    disk = make()
    with loop_device(Path(disk.path), "--read-only") as above:
        assert f"{above} reads {disk.path} of it" in [one.why for one in refusals(disk_at(disk.path))]
        error = failure(source, disk)
        assert isinstance(error, CardRefused)
        assert error.hint == f"losetup --detach {above}"
    assert burn(source, [meant(disk)])[0].error is None


@pytest.mark.parametrize("damage", ["cut off", "damaged"])
def test_an_image_that_is_not_whole(source: Path, make: Make, damage: str) -> None:
    data = bytearray(source.read_bytes())
    if damage == "cut off":
        source.write_bytes(data[: len(data) * 2 // 3])
    else:
        data[len(data) * 2 // 3 : len(data) * 2 // 3 + 8] = bytes(8)
        source.write_bytes(data)
    disk = make()
    with pytest.raises(BrambleError, match="cut off or damaged"):
        burn(source, [meant(disk)])
    if damage == "cut off":
        assert beginning(disk) == BEFORE[:MIB], "seen before the card was touched"
    else:
        assert beginning(disk) == bytes(MIB)


#: Writes an image to a card, named as they are.
_BURN = """
import asyncio, pathlib, sys
from bramble.cards.disks import disk_at
from bramble.cards.unpack import image_at
from bramble.cards.writing import Card, write
disk = disk_at(sys.argv[2])
print("begins", flush=True)
asyncio.run(write(image_at(pathlib.Path(sys.argv[1])), [Card(host="red01", disk=disk, force=(disk.identity,))]))
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_ended_in_the_middle(source: Path, make: Make, tmp_path: Path, end: signal.Signals) -> None:
    """A card cut off in mid-write starts nothing, and is free for the next try."""
    disk = make(pace=10e6)
    backing = next(tmp_path.glob("card-?"))
    burning = subprocess.Popen([sys.executable, "-c", _BURN, source, disk.path], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    with backing.open("rb") as card:
        while os.pread(card.fileno(), 4096, 6 * MIB) == BEFORE[6 * MIB : 6 * MIB + 4096]:
            assert time.monotonic() < deadline and burning.poll() is None
            time.sleep(0.01)
        burning.send_signal(end)
        burning.communicate()
        assert burning.returncode != 0
        assert os.pread(card.fileno(), MIB, 0) == bytes(MIB), "it looks bootable"
        assert os.pread(card.fileno(), MIB, (SIZE - 1) * MIB) == BEFORE[(SIZE - 1) * MIB : SIZE * MIB], (
            "it was too late"
        )
    with os.fdopen(os.open(disk.path, os.O_RDONLY | os.O_EXCL)):
        pass
