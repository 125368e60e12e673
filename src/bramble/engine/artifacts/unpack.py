"""Single files out of archives."""

from __future__ import annotations

import posixpath
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from ...errors import BrambleError

#: Bytes that are read at a time.
CHUNK = 1 << 20


def take_out(archive: Path, members: list[str], folder: Path) -> list[Path]:
    """Take files out of an archive; nothing else of it is written anywhere.

    Parameters
    ----------
    archive
        A tar, also compressed, or a zip, whose hash was found to be right.
    members
        Their paths in it.
    folder
        Where they are put, by names of ours.

    Returns
    -------
    list
        A file for each of ``members``, in their order.

    Raises
    ------
    BrambleError
        One is not in it or is no file, it is no archive, or the disk is full.
    """
    out = folder / "taken"
    out.mkdir(exist_ok=True)
    places = {name: out / str(number) for number, name in enumerate(dict.fromkeys(members))}
    try:
        if zipfile.is_zipfile(archive):
            _from_zip(archive, dict(places))
        else:
            _from_tar(archive, dict(places))
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BrambleError("what was fetched is no archive that can be read", why=str(error)) from None
    except OSError as error:
        raise BrambleError("it cannot be taken out of its archive", why=str(error), hint=f"df -h {folder}") from None
    return [places[name] for name in members]


def _from_tar(archive: Path, places: dict[str, Path]) -> None:
    # One pass, up to the last that is wanted: a compressed archive has no list of what is in it.
    with tarfile.open(archive, "r|*") as tar:
        for entry in tar:
            place = places.pop(posixpath.normpath(entry.name), None)
            if place is not None:
                content = tar.extractfile(entry) if entry.isreg() else None
                _write(content, entry.name, entry.size, place)
            if not places:
                return
    raise _missing(places)


def _from_zip(archive: Path, places: dict[str, Path]) -> None:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            place = places.pop(posixpath.normpath(entry.filename), None)
            if place is not None:
                with packed.open(entry) as content:
                    _write(None if entry.is_dir() else content, entry.filename, entry.file_size, place)
    if places:
        raise _missing(places)


def _write(content: IO[bytes] | None, name: str, size: int, place: Path) -> None:
    if content is None:
        raise BrambleError(f"{name} in the archive is not a file")
    free = shutil.disk_usage(place.parent).free
    if free < size:
        raise BrambleError(
            f"too little room for {name}",
            why=f"{size / 1e6:.0f} MB are wanted, {free / 1e6:.0f} MB are free in {place.parent}",
            hint=f"df -h {place.parent}",
        )
    with place.open("wb") as file:
        shutil.copyfileobj(content, file, CHUNK)


def _missing(places: dict[str, Path]) -> BrambleError:
    return BrambleError(f"the archive does not hold {', '.join(places)}")
