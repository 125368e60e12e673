"""From the description of a host to the files that make a blank system that host: values in, files out.

What each file says to which system, and why, is told in the manual (``docs/guide/cards-files.md``).
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import UsageError
from ...model import Customisation
from ..init_format import InitFormat
from . import cloud_init, firstrun
from .boot_files import BootFiles
from .check import check
from .hashes import password_hash, psk

__all__ = ["check", "customise", "password_hash", "psk"]


def customise(how: InitFormat, wanted: Customisation, boot: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that a card's boot partition gets, by name; those that are there and not named stay as they are.

    The same of the same, also on a card that was made before.

    Parameters
    ----------
    how
        The way in which the system takes it.
    wanted
        What it is to become.
    boot
        The files that are there: cmdline.txt and config.txt are edited, the others replaced. Ubuntu since 25.10 has the
        first of them in a folder: ``current/cmdline.txt``.

    Raises
    ------
    UsageError
        Nothing of this is written: `wanted` makes no sense (see `check`), the system cannot do it, or this is no boot
        partition of such a system.
    """
    check(wanted)
    files = BootFiles(boot)
    if how is InitFormat.NONE:
        raise UsageError(
            "this image takes no description of a host",
            host=wanted.hostname,
            hint="choose one that does: bramble cards images",
        )
    if how is InitFormat.SYSTEMD:
        made = firstrun.customise(wanted, files)
    else:
        made = cloud_init.customise(wanted, files, raspberry=how is InitFormat.CLOUDINIT_RPI)
    return {files.name(name): text.encode() for name, text in made.items()}
