"""A look into an image while it is still packed."""

from __future__ import annotations

from ..errors import BrambleError
from . import look
from .init_format import InitFormat
from .personalise import open_boot
from .unpack import Image, Unpacked

#: Bytes of its beginning that are unpacked at most, to find the list of files on its boot partition. That stands
#: behind the allocation tables: within the first 6 MB on all images of Raspberry Pi OS and Ubuntu.
FURTHEST = 64 << 20


def init_format(image: Image) -> InitFormat:
    """The way in which the system in an image takes its customisation.

    Raises
    ------
    BrambleError
        It cannot be read, or is no image of a system for a Pi.
    """
    with image.open() as stream:
        return look.of(open_boot(_Beginning(stream, image)))


class _Beginning:
    """What was unpacked so far, and more of it when that is asked for."""

    def __init__(self, stream: Unpacked, image: Image) -> None:
        self._stream = stream
        self._image = image
        self._have = bytearray()
        self._room = memoryview(bytearray(1 << 20))

    def read(self, offset: int, size: int) -> bytes:
        if offset + size > FURTHEST:
            raise BrambleError(f"{self._image.path} is no image of a system for a Pi", why="its files are far behind")
        while len(self._have) < offset + size:
            count = self._stream.readinto(self._room)
            if not count:
                break
            self._have += self._room[:count]
        return bytes(self._have[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        raise AssertionError("an image that is packed is not written")
