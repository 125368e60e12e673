"""Whether a disk may be written: pure rules over what is known of it."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from .disk import Disk, Refusal

#: Bytes beyond which a disk is taken for something else than a card. Cards of 512 GB are the largest that people have
#: in Pis; external disks with somebody's backups begin about here. (The SD standard goes on to 2 TiB.)
LARGEST = 550_000_000_000

#: File systems that are one part of something larger, or locked: what they hold cannot be seen, so nobody was shown it.
SEALED = {
    "LVM2_member": "a part of LVM",
    "linux_raid_member": "a part of a RAID",
    "crypto_LUKS": "encrypted data",
    "zfs_member": "a part of a ZFS pool",
    "btrfs_member": "a part of a btrfs",
    "bcache": "a part of bcache",
    "BitLocker": "encrypted data",
}


def refusals(disk: Disk, *, needs: int = 0, force: Collection[str] = ()) -> tuple[Refusal, ...]:
    """Every reason not to write to a disk; none if it may be written.

    Parameters
    ----------
    needs
        Bytes that the image takes; 0 where that is not known.
    force
        Identities of disks that somebody named to say that they are meant, though they are not like a card. That
        helps against doubts only: what is in use, read-only, empty or too small is refused all the same.
    """
    found = [*disk.uses]
    if disk.size == 0:
        found.append(Refusal(why="there is no card in it", hint="put one in"))
        return tuple(found)
    if disk.read_only:
        found.append(
            Refusal(why="it is read-only", hint="slide the card's lock switch up; without one, the card is worn out")
        )
    if disk.size < needs:
        why = f"it has {size(disk.size)}, and the image takes {size(needs)}"
        found.append(Refusal(why=why, hint="take a larger card, or a smaller image: bramble cards images"))
    if not found and disk.identity not in force:
        # Where something else stands in the way, forcing would not help.
        found += _doubts(disk)
    return tuple(found)


def _doubts(disk: Disk) -> list[Refusal]:
    sure = f"if you are sure that it is meant: --force-device {shlex.quote(disk.identity)}"
    doubts = []
    if not disk.is_like_a_card:
        kind = {"": "it is neither removable nor on USB or MMC", "loop": "it is a file under a loop device"}
        why = kind.get(disk.transport, f"it is a fixed disk ({disk.transport})")
        doubts.append(Refusal(why=why, hint=sure))
    if disk.size > LARGEST:
        doubts.append(Refusal(why=f"{size(disk.size)} are more than a card has", hint=sure))
    doubts += [
        Refusal(why=f"{part.path} holds {SEALED[part.filesystem]}", hint=sure)
        for part in disk.parts
        if part.filesystem in SEALED
    ]
    return doubts


def size(amount: int) -> str:
    """Bytes as cards are sold, by 1000: ``31.9 GB``."""
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.1f} MB"
