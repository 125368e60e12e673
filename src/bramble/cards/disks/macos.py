"""The disks of a Mac: what `diskutil` lists. The same rules apply to them as on Linux."""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import BrambleError
from .disk import Disk, Part, Refusal
from .linux import PATIENCE

#: What diskutil calls a bus → what we do.
BUSES = {"USB": "usb", "Secure Digital": "mmc", "PCI-Express": "nvme", "Apple Fabric": "nvme", "SATA": "sata"}

#: What diskutil calls content that is one part of something larger.
_JOINED = {"Apple_RAID": "a RAID", "Apple_CoreStorage": "CoreStorage"}


def listed() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What diskutil says of all disks, and of each whole one.

    Raises
    ------
    BrambleError
        It failed.
    """
    every = _asked("list")
    return every, {name: _asked("info", name) for name in every["WholeDisks"]}


def parse(every: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]) -> tuple[Disk, ...]:
    """The physical disks in diskutil's answers; those that macOS makes of parts of others are counted to these."""
    entries = every["AllDisksAndPartitions"]
    above = dict(_above(entries))
    return tuple(
        _disk(entry, infos[entry["DeviceIdentifier"]], above)
        for entry in entries
        if infos[entry["DeviceIdentifier"]].get("VirtualOrPhysical") != "Virtual"
    )


def _disk(entry: Mapping[str, Any], info: Mapping[str, Any], above: Mapping[str, tuple[str, ...]]) -> Disk:
    path = f"/dev/{entry['DeviceIdentifier']}"
    bus = info.get("BusProtocol", "")
    parts = [entry, *entry.get("Partitions", ())]
    return Disk(
        path=path,
        identity=path,
        model=info.get("MediaName", "").strip(),
        size=int(info.get("TotalSize", info.get("Size", 0))),
        transport=BUSES.get(bus, bus.lower()),
        removable=bool(info.get("RemovableMedia")),
        read_only=not info.get("WritableMedia", True),
        parts=tuple(_part(part, above) for part in parts[1:] or ([entry] if entry.get("VolumeName") else [])),
        uses=tuple(use for part in parts for use in _uses(path, part, above)),
    )


def _part(part: Mapping[str, Any], above: Mapping[str, tuple[str, ...]]) -> Part:
    return Part(
        path=f"/dev/{part['DeviceIdentifier']}",
        size=int(part.get("Size", 0)),
        label=part.get("VolumeName", ""),
        filesystem=part.get("Content", ""),
        mounts=_mounts(part, above),
    )


def _mounts(part: Mapping[str, Any], above: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    own = (part["MountPoint"],) if part.get("MountPoint") else ()
    return own + above.get(part["DeviceIdentifier"], ())


def _uses(path: str, part: Mapping[str, Any], above: Mapping[str, tuple[str, ...]]) -> Iterator[Refusal]:
    name = f"/dev/{part['DeviceIdentifier']}"
    places = _mounts(part, above)
    if places:
        own = any(place == "/" or place.startswith("/System/") for place in places)
        hint = "it holds this machine's own system: take another" if own else f"diskutil unmountDisk {path}"
        yield Refusal(why=f"{name} is mounted at {', '.join(places[:3])}", hint=hint)
    if part.get("Content") in _JOINED:
        yield Refusal(
            why=f"{name} is a part of {_JOINED[part['Content']]}", hint="take it out of that, or another card"
        )


def _above(entries: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Partition → where the volumes of its APFS container are mounted."""
    for entry in entries:
        mounts = tuple(volume["MountPoint"] for volume in entry.get("APFSVolumes", ()) if volume.get("MountPoint"))
        for store in entry.get("APFSPhysicalStores", ()):
            yield store["DeviceIdentifier"], mounts


def _asked(*words: str) -> dict[str, Any]:
    argv = ["diskutil", words[0], "-plist", *words[1:]]
    try:
        done = subprocess.run(argv, capture_output=True, check=True, timeout=PATIENCE)
        found = plistlib.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, plistlib.InvalidFileException) as error:
        raise BrambleError("the disks cannot be listed", why=str(error), hint=" ".join(argv)) from None
    assert isinstance(found, dict)
    return found
