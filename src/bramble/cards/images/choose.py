"""What a user means by an image: a name of the list, a file, a folder with one, or an address."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import UsageError
from ...runner.events import Note
from .catalogue import catalogue
from .fetch import Tell
from .image import Image, LocalImage

#: Ends of the names of files that hold images.
SUFFIXES = (".img", ".img.xz", ".img.gz", ".img.zst", ".img.zip", ".zip", ".raw")

#: Of an address or a path that names the architecture.
_ARCHITECTURE = re.compile(r"arm64|armhf")


async def resolve(text: str, tell: Tell) -> Image | LocalImage:
    """Find the image that is meant. Nothing is fetched but, perhaps, the list.

    Parameters
    ----------
    text
        ``raspios-lite``; ``./my.img.xz``; a folder that holds one image; ``https://…/my.img.xz``.

    Raises
    ------
    UsageError
        There is no such image, or more than one.
    BrambleError
        The list is needed, and cannot be had.
    """
    given = text.strip()
    if "://" in given:
        return _of_address(given)
    if "/" in given or given.startswith((".", "~")) or given.lower().endswith(SUFFIXES):
        return await asyncio.to_thread(_of_path, Path(given))
    if not given:
        raise UsageError("no image is named", hint="bramble cards images lists them")
    found = await catalogue()
    if found.stale:
        tell(Note(text=found.age))
    return found.find(given)


def _of_address(url: str) -> Image | LocalImage:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _of_path(Path(parts.path))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url} is no address that an image can be fetched from", hint="https://HOST/FILE.img.xz")
    image = Image(name="", title=url, url=url)
    found = _ARCHITECTURE.search(image.file)
    return Image(name=image.file, title=url, url=url, architecture=found[0] if found else "")


def _of_path(path: Path) -> LocalImage:
    path = path.expanduser()
    if path.is_dir():
        there = sorted(one for one in path.iterdir() if one.is_file() and one.name.lower().endswith(SUFFIXES))
        if len(there) == 1:
            return LocalImage(path=there[0])
        if not there:
            what = f"there is no image in {path}"
            raise UsageError(what, hint=f"names of images end with {', '.join(SUFFIXES)}")
        names = ", ".join(one.name for one in there)
        raise UsageError(f"there are {len(there)} images in {path}", why=names, hint=f"--image {there[-1]}")
    if not path.exists():
        raise UsageError(f"there is no file {path}", hint="bramble cards images lists what can be had by a name")
    if not path.is_file():
        raise UsageError(f"{path} is no file", why="an image is read more than once, so it must be one")
    return LocalImage(path=path)
