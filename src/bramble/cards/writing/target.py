"""Where an image goes: onto a card, or into a file that any other tool can flash."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import CardFailed
from ..disks import Disk
from ..disks.held import hold
from .medium import Medium


@dataclass(frozen=True, kw_only=True)
class Card:
    """A disk that becomes the card of a host.

    Attributes
    ----------
    host
        Name of the host.
    disk
        As it was shown to whoever said yes; if it is another by now, it is not written.
    force
        Identities that were named with ``--force-device``.
    """

    host: str
    disk: Disk
    force: tuple[str, ...] = ()

    @property
    def device(self) -> str:
        """Its path."""
        return self.disk.path

    @contextlib.contextmanager
    def open(self, needs: int) -> Iterator[Medium]:
        """Hold the disk, with room for so many bytes.

        Raises
        ------
        CardRefused
            It must not be written.
        """
        with hold(self.disk, needs=needs, force=self.force) as descriptor:
            yield Medium(descriptor)


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """A file that becomes the card of a host later. There is a whole one or none, and nobody else may read it."""

    host: str
    path: Path

    @property
    def device(self) -> str:
        """Its path."""
        return str(self.path)

    @contextlib.contextmanager
    def open(self, needs: int) -> Iterator[Medium]:
        """A new file beside it, that takes its place at the end.

        Raises
        ------
        CardFailed
            There is no room for it, or it may not be made.
        """
        part = self.path.with_name(f"{self.path.name}.part")
        try:
            state = os.statvfs(self.path.parent)
            free = state.f_bavail * state.f_frsize
            if free < needs:
                raise OSError(f"{free / 1e9:.1f} GB are free, and the image takes {needs / 1e9:.1f} GB")
            part.unlink(missing_ok=True)
            # It holds keys and passwords: nobody else may read it from its first byte on.
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            hint = "write it to another folder"
            why = error.strerror or str(error)
            raise CardFailed("it cannot be written", host=self.host, device=self.device, why=why, hint=hint) from None
        try:
            yield Medium(descriptor)
            os.fsync(descriptor)
            part.replace(self.path)
            _sync(self.path.parent)
        finally:
            os.close(descriptor)
            part.unlink(missing_ok=True)


Target = Card | ImageFile


def _sync(folder: Path) -> None:
    """Make the new name last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
