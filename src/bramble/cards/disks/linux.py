"""The disks of a Linux machine: what `lsblk` lists, and what it does not show."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import BrambleError
from .disk import Disk, Part, Refusal

#: Columns that lsblk has had since 2.33 (Debian 10); what newer ones would add is looked up in /sys and /proc.
COLUMNS = (
    "NAME", "KNAME", "PATH", "MAJ:MIN", "TYPE", "SIZE", "VENDOR", "MODEL", "SERIAL", "TRAN", "RM", "RO", "SUBSYSTEMS",
    "FSTYPE", "LABEL", "PARTLABEL", "MOUNTPOINT",
)  # fmt: skip

#: Seconds; a reader that hangs must not hang everything.
PATIENCE = 30

#: Where a mount says that it is this machine's own system.
SYSTEM = re.compile(r"/($|boot\b|usr\b|var\b|home$|etc\b|efi\b)")

#: Disks that hold nothing of their own, and eMMC's areas for its firmware.
_NO_DISK = re.compile(r"(zram|ram|fd|nbd)\d+$|mmcblk\d+(boot\d+|rpmb)$")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What lsblk does not show.

    Attributes
    ----------
    mounts
        Device number or path → where it is mounted, in all mount namespaces.
    swaps
        Paths of devices that are swap space now.
    loops
        Name of a loop device → the file or device behind it.
    homes
        Name of a loop device → number of the device that it, or its file, is on.
    sequences
        Name of a disk → which medium it is since the machine started.
    cards
        Name of a disk on MMC → model and serial number.
    """

    mounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    swaps: frozenset[str] = frozenset()
    loops: Mapping[str, str] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)
    cards: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def listed() -> dict[str, Any]:
    """What lsblk says.

    Raises
    ------
    BrambleError
        There is no lsblk, or it failed.
    """
    argv = ["lsblk", "--json", "--bytes", "--output", ",".join(COLUMNS)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE)
        found = json.loads(done.stdout or "{}")
    except FileNotFoundError:
        raise BrambleError(
            "the disks cannot be listed", why="there is no lsblk", hint="apt install util-linux"
        ) from None
    except (subprocess.TimeoutExpired, ValueError) as error:
        hint = "pull out card readers one by one; the kernel's words: dmesg | tail"
        raise BrambleError("the disks cannot be listed", why=str(error), hint=hint) from None
    if not isinstance(found, dict) or "blockdevices" not in found:
        raise BrambleError("the disks cannot be listed", why=done.stderr.strip(), hint=" ".join(argv))
    return found


def parse(listing: Mapping[str, Any], seen: Seen) -> tuple[Disk, ...]:
    """The disks in an answer of lsblk."""
    found = [
        _disk(node, seen)
        for node in listing["blockdevices"]
        if node["type"] in ("disk", "loop") and not _NO_DISK.match(node["kname"])
    ]
    there = [disk for disk in found if disk.size or disk.is_like_a_card]
    names = [disk.identity for disk in there]
    return tuple(
        replace(disk, identity=f"{disk.identity}@{disk.path.rpartition('/')[2]}")
        if names.count(disk.identity) > 1
        else disk
        for disk in there
    )


def _disk(node: Mapping[str, Any], seen: Seen) -> Disk:
    name, path = node["kname"], node["path"]
    subsystems = (node["subsystems"] or "").split(":")
    transport = node["tran"] or next((one for one in ("usb", "mmc", "nvme") if one in subsystems), "")
    backing = seen.loops.get(name, "") if node["type"] == "loop" else ""
    model, serial = seen.cards.get(name, ("", ""))
    vendor, model = (node["vendor"] or "").strip(), (node["model"] or model).strip()
    # The vendor of a virtual or PCI disk is a number.
    named = f"{vendor} {model}".strip() if not vendor.startswith("0x") else model
    serial = (node["serial"] or serial).strip()
    major, minor = node["maj:min"].strip().split(":")
    nodes = list(_walk(node))
    # Desktops mount all partitions of a card when it is put in: one command takes all of them off.
    mounted = [one["path"] for one in nodes if _mounts(one, seen)]
    unmount = f"umount {' '.join(mounted)}"
    return Disk(
        path=path,
        identity=serial or backing or path,
        model=named,
        serial=serial,
        size=int(node["size"] or 0),
        transport="loop" if node["type"] == "loop" else transport,
        removable=_yes(node["rm"]),
        read_only=_yes(node["ro"]),
        parts=tuple(_part(one, seen) for one in nodes if one["type"] == "part" or one["fstype"]),
        uses=tuple(dict.fromkeys(use for one in nodes for use in _uses(one, seen, backing, unmount))),
        number=(int(major), int(minor)),
        sequence=seen.sequences.get(name, 0),
    )


def _part(node: Mapping[str, Any], seen: Seen) -> Part:
    return Part(
        path=node["path"],
        size=int(node["size"] or 0),
        label=node["label"] or node["partlabel"] or "",
        filesystem=node["fstype"] or "",
        mounts=_mounts(node, seen),
    )


def _mounts(node: Mapping[str, Any], seen: Seen) -> tuple[str, ...]:
    places = [*seen.mounts.get(node["maj:min"].strip(), ()), *seen.mounts.get(node["path"], ())]
    shown = node["mountpoint"]
    if shown and shown != "[SWAP]" and shown not in places:
        places.insert(0, shown)
    return tuple(dict.fromkeys(places))


def _uses(node: Mapping[str, Any], seen: Seen, backing: str, unmount: str) -> Iterator[Refusal]:
    """What is at work on a disk, a partition, or what is built on one."""
    name, path = node["kname"], node["path"]
    places = _mounts(node, seen)
    if places:
        own = any(SYSTEM.match(place) for place in places)
        hint = "it holds this machine's own system: take another" if own else unmount
        yield Refusal(why=f"{path} is mounted at {', '.join(places[:3])}", hint=hint)
    if node["mountpoint"] == "[SWAP]" or path in seen.swaps:
        yield Refusal(why=f"{path} is swap space", hint=f"swapoff {path}")
    match node["type"]:
        case "lvm":
            yield Refusal(why=f"{path} of LVM is on it", hint=f"lvchange --activate n {path}")
        case "crypt":
            yield Refusal(why=f"{path} of dm-crypt is on it", hint=f"cryptsetup close {node['name']}")
        case "mpath" | "dm":
            yield Refusal(why=f"{path} of the device mapper is on it", hint=f"dmsetup remove {node['name']}")
        case kind if kind.startswith(("raid", "linear", "md")):
            yield Refusal(why=f"{path} of a RAID is on it", hint=f"mdadm --stop {path}")
    for loop, behind in seen.loops.items():
        if loop == name:
            continue
        if seen.homes.get(loop) == node["maj:min"].strip() or behind in (path, backing):
            yield Refusal(why=f"/dev/{loop} reads {behind} of it", hint=f"losetup --detach /dev/{loop}")


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("children") or ():
        yield from _walk(child)


def _yes(value: object) -> bool:
    """A flag: older lsblk writes ``"1"``."""
    return value in (True, 1, "1")
