"""Which disks are cards, by what lsblk prints on machines of several kinds."""

from __future__ import annotations

import json
import plistlib
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from bramble.cards.disks import Disk, Part, linux, macos, refusals
from bramble.cards.disks.linux import Seen

HERE = Path(__file__).parent

CARD = Disk(path="/dev/sdb", identity="903", serial="903", size=32_000_000_000, transport="usb", removable=True)


def found(machine: str, seen: Seen | None = None) -> dict[str, Disk]:
    listing = json.loads((HERE / "disks" / f"{machine}.json").read_text())
    return {disk.path.removeprefix("/dev/"): disk for disk in linux.parse(listing, seen or Seen())}


@pytest.mark.parametrize("machine", ["desk", "pi", "virtual"])
def test_what_is_a_card_and_why_the_rest_is_not(machine: str, snapshot: SnapshotAssertion) -> None:
    told = {}
    for name, disk in found(machine).items():
        told[name] = {
            "is": f"{disk.model or '-'}, {disk.transport or '-'}, {disk.identity}",
            "holds": [str(part) for part in disk.parts],
            "refused": [str(one) for one in refusals(disk)],
        }
    assert told == snapshot


def test_only_these_may_be_written_on_a_desk_full_of_disks() -> None:
    assert [name for name, disk in found("desk").items() if not refusals(disk)] == ["sdb", "mmcblk0"]
    assert [name for name, disk in found("pi").items() if not refusals(disk)] == ["sda"]
    assert [name for name, disk in found("virtual").items() if not refusals(disk)] == []


def test_force_helps_against_doubts_only() -> None:
    desk = found("desk")
    every = {disk.identity for disk in desk.values()}
    forced = [name for name, disk in desk.items() if not refusals(disk, force=every)]
    assert forced == ["sdb", "sdf", "sdg", "mmcblk0"]
    assert not refusals(desk["sdf"], force=["575834314142"])
    assert refusals(desk["sdf"], force=["4C530001"])


def test_readers_that_share_a_serial_number_are_told_apart() -> None:
    desk = found("desk")
    assert (desk["sdd"].identity, desk["sde"].identity) == ("000000001536@sdd", "000000001536@sde")
    assert desk["sdb"].identity == "000000000903"


def test_a_mount_that_only_another_namespace_has() -> None:
    elsewhere = Seen(mounts={"8:17": ("/mnt/in a container",)})
    assert [one.why for one in refusals(found("desk", elsewhere)["sdb"])] == [
        "/dev/sdb1 is mounted at /mnt/in a container"
    ]


def test_a_mount_whose_number_is_no_disks() -> None:
    """btrfs shows a number of its own making, and the device by name."""
    assert refusals(found("desk", Seen(mounts={"/dev/sdb2": ("/mnt",)}))["sdb"])


def test_swap_that_lsblk_does_not_show() -> None:
    assert [one.hint for one in refusals(found("desk", Seen(swaps=frozenset({"/dev/sdb2"})))["sdb"])] == [
        "swapoff /dev/sdb2"
    ]


@pytest.mark.parametrize(
    "seen",
    [
        Seen(loops={"loop7": "/mnt/card.img"}, homes={"loop7": "8:18"}),
        Seen(loops={"loop7": "/dev/sdb"}, homes={"loop7": "8:16"}),
        Seen(loops={"loop7": "/dev/sdb2"}),
    ],
    ids=["a file on it", "the whole", "a partition"],
)
def test_what_a_loop_device_reads(seen: Seen) -> None:
    assert [one.hint for one in refusals(found("desk", seen)["sdb"])] == ["losetup --detach /dev/loop7"]


def test_two_loop_devices_over_one_file() -> None:
    seen = Seen(loops={"loop0": "/srv/card.img", "loop7": "/srv/card.img"})
    whys = [one.why for one in refusals(found("desk", seen)["loop0"])]
    assert "/dev/loop7 reads /srv/card.img of it" in whys


def test_a_card_on_mmc_has_its_number_from_the_kernel() -> None:
    seen = Seen(cards={"mmcblk0": ("SC64G", "0x8a3cf1d2")}, sequences={"mmcblk0": 12})
    card = found("desk", seen)["mmcblk0"]
    assert (card.model, card.serial, card.identity, card.sequence) == ("SC64G", "0x8a3cf1d2", "0x8a3cf1d2", 12)


@pytest.mark.parametrize(
    ("card", "needs", "why"),
    [
        (CARD, 0, None),
        (CARD, 32_000_000_000, None),
        (CARD, 32_000_000_001, "it has 32.0 GB, and the image takes 32.0 GB"),
        (replace(CARD, size=0), 0, "there is no card in it"),
        (replace(CARD, read_only=True), 0, "it is read-only"),
        (replace(CARD, size=512_110_190_592), 0, None),
        (replace(CARD, size=1_000_204_886_016), 0, "1000.2 GB are more than a card has"),
        (replace(CARD, transport="nvme", removable=False), 0, "it is a fixed disk (nvme)"),
        (replace(CARD, transport="", removable=False), 0, "it is neither removable nor on USB or MMC"),
        (replace(CARD, transport="", removable=True), 0, None),
        (
            replace(CARD, parts=(Part(path="/dev/sdb1", size=1, filesystem="LVM2_member"),)),
            0,
            "/dev/sdb1 holds a part of LVM",
        ),
    ],
)
def test_rules(card: Disk, needs: int, why: str | None) -> None:
    assert [one.why for one in refusals(card, needs=needs)] == ([why] if why else [])


@pytest.mark.parametrize("change", ["path", "identity", "model", "serial", "size", "number", "sequence"])
def test_another_disk_is_not_the_same(change: str) -> None:
    other = {"size": 1, "number": (8, 99), "sequence": 3}.get(change, "other")
    assert CARD.is_same(replace(CARD, parts=(), read_only=True))
    assert not CARD.is_same(replace(CARD, **{change: other}))  # type: ignore[arg-type]


def test_disks_of_a_mac(snapshot: SnapshotAssertion) -> None:
    recorded = plistlib.loads((HERE / "disks" / "mac.plist").read_bytes())
    told = {
        disk.path: [
            f"{disk.model}, {disk.transport}, {disk.size}",
            [str(part) for part in disk.parts],
            [str(one) for one in refusals(disk)],
        ]
        for disk in macos.parse(recorded["list"], recorded["info"])
    }
    assert told == snapshot
