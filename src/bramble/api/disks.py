"""Which disks of this machine are cards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..cards.disks import Disk, Refusal, disks, refusals


@dataclass(frozen=True, kw_only=True)
class CardReader:
    """A disk of this machine, or a card reader.

    Attributes
    ----------
    disk
        What it is and what is on it.
    refused
        Why nothing is written to it; empty if a card can be burned there.
    """

    disk: Disk
    refused: tuple[Refusal, ...]


async def cards_list() -> tuple[CardReader, ...]:
    """Show the disks of this machine: card readers first, then what is never written, and why.

    Loop devices are left out: they are files.

    Raises
    ------
    BrambleError
        The disks cannot be listed here.
    """
    found = await asyncio.to_thread(disks)
    shown = [CardReader(disk=disk, refused=refusals(disk)) for disk in found if disk.transport != "loop"]
    return tuple(sorted(shown, key=lambda one: (bool(one.refused), one.disk.path)))
