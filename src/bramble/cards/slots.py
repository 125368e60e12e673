"""Which host's card goes into which reader, and when: more hosts than readers means rounds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..model import Host
from .disks import Disk, Refusal, disk_at, refusals
from .writing import Card, ImageFile, Target


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Where the card of a host is made.

    Attributes
    ----------
    host
        Its name.
    device
        The card reader, or the file.
    disk
        What is in the reader now; None for a file.
    refused
        Why that is not written; nothing where it may be.
    """

    host: str
    device: str
    disk: Disk | None = None
    refused: tuple[Refusal, ...] = ()

    def target(self, force: Collection[str]) -> Target:
        """What is written."""
        if self.disk is None:
            return ImageFile(host=self.host, path=Path(self.device))
        return Card(host=self.host, disk=self.disk, force=tuple(force))


def rounds(hosts: Sequence[Host], devices: Sequence[str]) -> list[list[tuple[str, str]]]:
    """Host and reader of each card, in rounds of as many cards as there are readers.

    Raises
    ------
    UsageError
        A reader is named twice, or none.
    """
    if not devices:
        raise UsageError("no card reader is named", hint="bramble cards list shows them: --devices /dev/sda,/dev/sdb")
    real = [str(Path(device).resolve()) for device in devices]
    twice = {device for device in real if real.count(device) > 1}
    if twice:
        raise UsageError(f"{min(twice)} is named twice", hint="name each card reader once")
    names = [host.name for host in hosts]
    return [
        list(zip(names[at : at + len(devices)], devices, strict=False)) for at in range(0, len(names), len(devices))
    ]


def look(pairs: Sequence[tuple[str, str]], *, needs: int, force: Collection[str], done: Collection[Disk]) -> list[Slot]:
    """What is in these readers now, and whether it may be written.

    Parameters
    ----------
    needs
        Bytes that the image takes; 0 where that is not known.
    force
        Identities of disks that are meant, though they do not look like cards.
    done
        Cards that were burned a moment ago, and are not to be burned again.

    Raises
    ------
    CardRefused
        There is no such disk.
    """
    found = []
    for host, device in pairs:
        disk = disk_at(device)
        why = list(refusals(disk, needs=needs, force=force))
        if disk.sequence and any(disk.is_same(other) for other in done):
            why.append(Refusal(why="it is still the card that was burned just now", hint=f"put in the one of {host}"))
        found.append(Slot(host=host, device=device, disk=disk, refused=tuple(why)))
    return found


def files(hosts: Sequence[Host], output: str) -> list[Slot]:
    """A file for each host, ``red01.img``, in a folder.

    Raises
    ------
    UsageError
        There is no such folder, or one of the files is there already.
    """
    folder = Path(output).expanduser()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint=f"mkdir -p {folder}")
    found = [Slot(host=host.name, device=str(folder / f"{host.name}.img")) for host in hosts]
    there = [slot.device for slot in found if Path(slot.device).exists()]
    if there:
        raise UsageError(f"{there[0]} is there already", hint="take it away first, or name another folder")
    return found
