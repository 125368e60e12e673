"""A card that holds an image becomes the card of one host."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import BrambleError
from ..model import Customisation
from . import look
from .blocks import Blocks
from .customise import customise
from .fat import NoBootPartition, NoRoom, NotFat, Volume, boot_partition
from .init_format import InitFormat

#: Files that say how a system starts; the others of a boot partition are firmware and kernels.
READ = ("cmdline.txt", "config.txt", "user-data", "meta-data", "network-config", "issue.txt", "current/cmdline.txt")


def open_boot(blocks: Blocks) -> Volume:
    """The boot partition of a card or image.

    Raises
    ------
    BrambleError
        There is none, or none with a FAT file system.
    """
    try:
        return Volume(blocks, boot_partition(blocks))
    except (NoBootPartition, NotFat) as error:
        raise BrambleError(
            "this is no image of a system for a Pi", why=str(error), hint="bramble cards images lists those that are"
        ) from None


def settings(volume: Volume) -> dict[str, bytes]:
    """The files of `READ` that are there, by the name that is asked for."""
    found = {}
    for name in READ:
        try:
            found[name] = volume.read(name)
        except FileNotFoundError:
            continue
    return found


def personalise(blocks: Blocks, wanted: Customisation, how: InitFormat | None = None) -> dict[str, bytes]:
    """Write what makes a card that of one host.

    Parameters
    ----------
    blocks
        The card, with an image on it.
    how
        The way in which its system takes that; None to find out from the card.

    Returns
    -------
    dict
        Name → content of the files that were written, to be compared with what the card gives back.

    Raises
    ------
    BrambleError
        The card holds no system that bramble knows, or its boot partition is full or damaged.
    UsageError
        Its system cannot do what is asked.
    OSError
        The card cannot be read or written.
    """
    volume = open_boot(blocks)
    try:
        files = customise(how or look.of(volume), wanted, settings(volume))
        for name, content in files.items():
            volume.write(name, content)
    except (NoRoom, NotFat) as error:
        raise BrambleError("what makes it a card of its host does not fit on it", why=str(error)) from None
    volume.flush()
    return files


def compare(blocks: Blocks, files: Mapping[str, bytes]) -> None:
    """Read anew what `personalise` wrote.

    Raises
    ------
    BrambleError
        The card gives back something else.
    OSError
        It cannot be read.
    """
    volume = open_boot(blocks)
    for name, content in files.items():
        try:
            same = volume.read(name) == content
        except (FileNotFoundError, NotFat):
            same = False
        if not same:
            raise BrambleError(
                f"{name} on its boot partition is not what was written",
                hint="the card is worn out, or not what it claims to be: take another",
            )
