"""Images as they are downloaded: unpacked, or told to be cut off, damaged, or no image."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.unit.cards import MIB, image

from bramble.cards.unpack import Image, image_at
from bramble.cards.unpack.programs import Program
from bramble.errors import BrambleError

DATA = image(1)


#: All but a raw image say themselves where their end is.
KNOWN = (b"\xfd7", b"\x28\xb5", b"\x1f\x8b", b"PK")


def zipped(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def by(*argv: str) -> Callable[[Path, bytes], None]:
    def pack(path: Path, data: bytes) -> None:
        path.write_bytes(subprocess.run(argv, input=data, capture_output=True, check=True).stdout)

    return pack


PACKED: dict[str, tuple[Callable[[Path, bytes], object], int]] = {
    "raw": (lambda path, data: path.write_bytes(data), len(DATA)),
    "xz": (lambda path, data: path.write_bytes(lzma.compress(data, preset=0)), len(DATA)),
    "xz in blocks": (by("xz", "-0", "-T2", "--block-size=256KiB"), len(DATA)),
    "xz twice": (lambda path, data: path.write_bytes(twice(data)), len(DATA)),
    "zst": (by("zstd", "-1"), 0),
    "gz": (lambda path, data: path.write_bytes(gzip.compress(data, 1)), 0),
    "zip": (lambda path, data: zipped(path, {"read.me": b"x" * 9, "a/system.img": data, "z": bytes(9)}), len(DATA)),
    "zip of one": (lambda path, data: zipped(path, {"folder/": b"", "system": data}), len(DATA)),
}


def twice(data: bytes) -> bytes:
    """Two streams with padding behind each, as `cat a.xz b.xz` makes them."""
    halves = data[: len(data) // 2], data[len(data) // 2 :]
    return b"".join(lzma.compress(half, preset=0) + bytes(8) for half in halves)


def unpacked(file: Image) -> bytes:
    found = bytearray()
    piece = memoryview(bytearray(300_000))
    with file.open() as stream:
        while count := stream.readinto(piece):
            found += piece[:count]
    return bytes(found)


@pytest.fixture(params=PACKED)
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(made(request.param))
    return path


@cache
def made(how: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        PACKED[how][0](path, DATA)
        return path.read_bytes()


def test_packed_in_any_way(packed: Path, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["packed"]
    found = image_at(packed)
    assert (found.packing, found.size) == (name.split()[0], PACKED[name][1])
    assert unpacked(found) == DATA


def test_cut_off(packed: Path) -> None:
    packed.write_bytes(packed.read_bytes()[: -packed.stat().st_size // 3 - 1])
    with pytest.raises(BrambleError, match="cut off"):
        unpacked(image_at(packed, size=0 if packed.read_bytes()[:2] in KNOWN else len(DATA)))


def test_damaged(packed: Path) -> None:
    if image_at(packed).packing == "raw":
        return  # only its hash tells, and the writer compares that
    data = bytearray(packed.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 64] = bytes(64)
    packed.write_bytes(data)
    with pytest.raises(BrambleError, match="cut off or damaged"):
        unpacked(image_at(packed))


def test_without_the_programs(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if packed.read_bytes().endswith(bytes(8)):
        packed.write_bytes(lzma.compress(DATA, preset=0))  # the standard library knows of no padding
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    if image_at(packed).packing == "zst":
        with pytest.raises(BrambleError, match="there is no zstd"):
            unpacked(image_at(packed))
        return
    assert unpacked(image_at(packed)) == DATA
    test_damaged(packed)


@pytest.mark.parametrize("data", [b"", b"x", bytes(MIB), b"<!doctype html>" * 100, DATA[:-1]])
def test_no_image(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "image").write_bytes(data)
    with pytest.raises(BrambleError, match=r"no partition table|cut off"):
        unpacked(image_at(tmp_path / "image"))


def test_an_image_of_another_length_than_its_makers_say(tmp_path: Path) -> None:
    path = tmp_path / "image.xz"
    path.write_bytes(lzma.compress(DATA, preset=0))
    with pytest.raises(BrambleError, match="not the image it should be"):
        image_at(path, size=len(DATA) + 512)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(BrambleError, match="cannot be read: No such file"):
        image_at(tmp_path / "none.img")


def test_a_program_ends_whatever_happens(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(1 << 20))  # more than a pipe holds
    with Program.of(["cat"], tmp_path / "image") as program:
        process = program._process
        assert process.poll() is None
        assert program.readinto(memoryview(bytearray(10))) == 10
    assert process.returncode is not None, "there is more to read, and nobody does"
