"""Files of a boot partition, on cards that tests made; tests/lab/test_cards_fat.py asks other programs about it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fatimage import START, Memory, image

from bramble.cards.fat import NoBootPartition, NotFat, Volume, boot_partition
from bramble.cards.fat.table import NoRoom

BITS = pytest.mark.parametrize("bits", [16, 32])


def opened(card: Memory) -> Volume:
    return Volume(card, boot_partition(card))


@BITS
def test_what_is_written_is_read_by_whichever_case(bits: int) -> None:
    card = image(bits)
    volume = opened(card)
    volume.write("cmdline.txt", b"console=tty1 root=PARTUUID=1-02\n")
    volume.write("network-config", b"")
    assert volume.files() == {"cmdline.txt": 32, "network-config": 0}
    volume.flush()
    again = opened(card)
    assert again.read("CMDLINE.TXT") == b"console=tty1 root=PARTUUID=1-02\n"
    assert again.read("network-config") == b""
    again.write("CMDLINE.TXT", b"quiet")
    assert again.files() == {"cmdline.txt": 5, "network-config": 0}


@BITS
def test_nothing_reaches_the_card_before_it_is_told_to(bits: int) -> None:
    card = image(bits)
    before = bytes(card.content)
    volume = opened(card)
    volume.write("user-data", b"#cloud-config\n")
    assert card.content == before
    volume.flush()
    assert card.content != before


@BITS
def test_more_files_than_a_cluster_of_the_directory_holds(bits: int) -> None:
    card = image(bits)
    volume = opened(card)
    for number in range(100):
        volume.write(f"a file with a long name {number}.txt", str(number).encode())
    volume.flush()
    again = opened(card)
    assert len(again.files()) == 100
    assert all(again.read(f"A FILE with a long name {number}.txt") == str(number).encode() for number in range(100))


def test_the_root_of_fat16_has_an_end() -> None:
    volume = opened(image(16))
    for number in range(170):  # of 3 entries each, where there are 512
        volume.write(f"long name {number:03}.conf", b"x")
    with pytest.raises(NoRoom, match="root directory"):
        volume.write("long name 170.conf", b"x")
    assert len(volume.files()) == 170


@BITS
def test_a_full_volume_is_refused_and_the_file_stays(bits: int) -> None:
    card = image(bits)
    volume = opened(card)
    volume.write("kept", b"as it was")
    with pytest.raises(NoRoom, match="full"):
        volume.write("kept", bytes(64 * 2**20))
    with pytest.raises(NoRoom):
        volume.write("new", bytes(64 * 2**20))
    assert volume.read("kept") == b"as it was"
    volume.write("fits", bytes(5 * 2**20))
    assert volume.files() == {"kept": 9, "fits": 5 * 2**20}


def test_what_is_freed_is_counted_and_used_again() -> None:
    card = image(32)
    volume = opened(card)

    def free() -> int:
        volume.flush()
        (count,) = struct.unpack_from("<I", card.content, START + 512 + 488)
        return int(count)

    empty = free()
    volume.write("a", bytes(10 * 512))
    assert free() == empty - 10
    volume.write("a", b"")
    assert free() == empty
    volume.write("b", bytes(3))
    assert free() == empty - 1


@pytest.mark.parametrize("name", ["", "deep/"])
def test_folders_and_files_that_are_not_there(name: str) -> None:
    volume = opened(image(32))
    with pytest.raises(FileNotFoundError):
        volume.read(f"{name}cmdline.txt")
    if name:
        with pytest.raises(FileNotFoundError):
            volume.write(f"{name}cmdline.txt", b"")


def test_a_card_without_partitions_or_without_fat() -> None:
    with pytest.raises(NoBootPartition, match="no partition table"):
        boot_partition(Memory(bytes(4096)))
    card = image(16)
    card.content[446 + 4] = 0x83
    with pytest.raises(NoBootPartition, match="FAT"):
        boot_partition(card)
    card = image(16)
    card.content[START : START + 512] = bytes(512)
    with pytest.raises(NotFat):
        opened(card)


def test_gpt() -> None:
    card = image(32)
    card.content[446 + 4] = 0xEE
    header = bytearray(512)
    header[:8] = b"EFI PART"
    struct.pack_into("<QII", header, 72, 2, 128, 128)
    card.content[512:1024] = header
    guid = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
    struct.pack_into("<16s16xQQ", card.content, 1024, guid, START // 512, START // 512 + 69_999)
    assert boot_partition(card).offset == START
    assert opened(card).files() == {}


def test_a_circle_of_clusters_is_told_and_does_not_hang() -> None:
    card = image(16)
    volume = opened(card)
    volume.write("circle", bytes(1024))
    volume.flush()
    struct.pack_into("<H", card.content, START + 4 * 512 + 2 * 3, 2)
    with pytest.raises(NotFat, match="damaged"):
        opened(card).read("circle")


_NAMES = st.sampled_from(["cmdline.txt", "CONFIG.TXT", "user-data", "firstrun.sh", "a b.c", "ä.txt", "firstrun.sh.bak"])


@settings(max_examples=30, deadline=None)
@given(bits=st.sampled_from([16, 32]), written=st.lists(st.tuples(_NAMES, st.binary(max_size=3000)), max_size=12))
def test_any_order_of_writing_ends_with_the_last_contents(bits: int, written: list[tuple[str, bytes]]) -> None:
    card = image(bits)
    volume = opened(card)
    wanted: dict[str, bytes] = {}
    for name, content in written:
        volume.write(name, content)
        wanted[name] = content
    volume.flush()
    again = opened(card)
    assert {name: again.read(name) for name in again.files()} == wanted
