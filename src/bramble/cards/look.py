"""What a boot partition tells of the system it belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from .fat import Volume
from .init_format import InitFormat

#: Files by which cloud-init finds what it is to do (NoCloud), as the images that use it ship them.
_NOCLOUD = {"user-data", "meta-data"}

#: Raspberry Pi OS says in this file by which commit and when it was made.
_ISSUE = "issue.txt"


def init_format(names: Iterable[str]) -> InitFormat:
    """The way in which a system takes its customisation, by the files in the root of its boot partition.

    Images of Imager's list tell it themselves (`init_format`); this is for those that are not on it.
    """
    there = {name.casefold() for name in names}
    if there >= _NOCLOUD:
        return InitFormat.CLOUDINIT_RPI if _ISSUE in there else InitFormat.CLOUDINIT
    return InitFormat.SYSTEMD if _ISSUE in there and "cmdline.txt" in there else InitFormat.NONE


def of(volume: Volume) -> InitFormat:
    """As `init_format`, of a volume."""
    return init_format(volume.files())
