"""What we write on a boot partition, judged by mtools and fsck.fat, whose FAT this has to be."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from bramble.cards.fat import Partition, Volume

NAMES = ["cmdline.txt", "CONFIG.TXT", "network-config", "user-data", "meta-data", "firstrun.sh", "a b.conf", "ssh",
         "kernel8.img", "overlays.readme", "issue.txt", "very long name, with a comma.nmconnection"]  # fmt: skip


class Card:
    """A file as a card, opened for reading and writing."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_RDWR)

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self.file, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        assert os.pwrite(self.file, data, offset) == len(data)


def _run(*argv: str | Path, given: bytes = b"") -> bytes:
    done = subprocess.run([str(word) for word in argv], input=given, capture_output=True)
    assert done.returncode == 0, (argv, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(params=[(16, 32, 4), (16, 200, 8), (32, 64, 1), (32, 512, 8)], ids=str)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    bits, size, cluster = request.param
    found = tmp_path / "boot.img"
    _run("mkfs.vfat", "-F", bits, "-s", cluster, "-n", "bootfs", "-C", found, size * 1024)
    _run("mmd", "-i", found, "::overlays")
    for name in NAMES[:5]:
        _run("mcopy", "-i", found, "-", f"::{name}", given=name.encode() * 300)
    _run("mcopy", "-i", found, "-", "::overlays/disable-wifi.dtbo", given=b"in a folder")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_others_read_what_we_wrote_and_find_no_fault(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    wanted = {name: name.encode() * 300 for name in NAMES[:5]}
    card = Card(path)
    for _ in range(4):
        volume = Volume(card, Partition(0, path.stat().st_size))
        assert volume.label == "bootfs"
        for name in chance.sample(NAMES, 6):
            wanted[name] = chance.randbytes(chance.choice([0, 1, 511, 4096, 70_000]))
            there = name in volume.files() and chance.random() < 0.2
            volume.write(name.swapcase() if there else name, wanted[name])
        volume.write("overlays/more.dtbo", wanted["cmdline.txt"])
        volume.flush()
    os.close(card.file)
    _run("fsck.vfat", "-n", "-v", path)
    for name, content in wanted.items():
        assert _run("mtype", "-i", path, f"::{name}") == content, name
    assert _run("mtype", "-i", path, "::overlays/disable-wifi.dtbo") == b"in a folder"
    assert _run("mtype", "-i", path, "::overlays/more.dtbo") == wanted["cmdline.txt"]
    listed = {line.removeprefix("::/") for line in _run("mdir", "-b", "-i", path, "::").decode().splitlines()}
    assert listed == {*wanted, "overlays/"}
