"""The files that are on a boot partition already."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import UsageError


class BootFiles:
    """Texts by name, however the names are spelled: FAT does not tell ``CMDLINE.TXT`` from ``cmdline.txt``."""

    def __init__(self, boot: Mapping[str, bytes]) -> None:
        self._names = {name.casefold(): name for name in boot}
        self._boot = boot

    def name(self, name: str) -> str:
        """As it is spelled there, so that writing it makes no second file; as given, where there is none."""
        return self._names.get(name.casefold(), name)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._names

    def text(self, name: str) -> str:
        """What a file says.

        Raises
        ------
        UsageError
            It is not there, or is no text.
        """
        if name not in self:
            raise UsageError(
                f"the boot partition has no {name}",
                hint="this is no image of a system for Raspberry Pi, or not one that bramble knows",
            )
        try:
            return self._boot[self.name(name)].decode()
        except UnicodeDecodeError:
            raise UsageError(
                f"{self.name(name)} on the boot partition is no text", hint="the image is broken"
            ) from None
