"""The folder that an image is built from, packed for a host that builds it."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import IO

from ...errors import UsageError

#: Where the builder is told what it needs not read, in the order in which it looks.
IGNORE = (".containerignore", ".dockerignore")

#: In the order in which the builder looks for it.
CONTAINERFILES = ("Containerfile", "Dockerfile")


def recipe(folder: Path, given: str = "") -> tuple[Path, str]:
    """What an image is built from: the folder, absolute, and the text of the file that says how.

    Parameters
    ----------
    given
        As the person named it, from where they are or from the folder; empty for the usual ones.

    Raises
    ------
    UsageError
        There is no such folder or file.
    """
    return folder.resolve(), _text(containerfile(folder, given))


def containerfile(folder: Path, given: str = "") -> Path:
    """The file that says how an image is built; as `recipe`."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="bramble images build FOLDER --tag app:1")
    places = [Path(given), folder / given] if given else [folder / name for name in CONTAINERFILES]
    for place in places:
        if place.is_file():
            return place
    if given:
        raise UsageError(f"there is no file {given}, neither here nor in {folder}")
    raise UsageError(
        f"there is no {' and no '.join(CONTAINERFILES)} in {folder}",
        hint=f"write one, or name it: --file {folder}/FILE",
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror or "" if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{file} cannot be read", why=why) from None


def pack(folder: Path, out: IO[bytes], *, keep: str = "") -> None:
    """Write a folder as a tar archive, without what the builder is told to ignore.

    Parameters
    ----------
    keep
        A file in it that goes along even so.
    """
    ignored = _ignored(folder)

    def is_wanted(path: str) -> bool:
        parts = path.split("/")
        return ignored.isdisjoint("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))

    def wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return entry if is_wanted(entry.name.removeprefix("./")) else None

    try:
        with tarfile.open(fileobj=out, mode="w|") as tar:
            tar.add(folder, arcname=".", filter=wanted)
            if keep and not is_wanted(keep):
                tar.add(folder / keep, arcname=f"./{keep}")
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be read", why=error.strerror or "") from None


def _ignored(folder: Path) -> set[str]:
    """What is not sent: the plain names among what is to be ignored.

    The builder reads the same file and has the last word, so what is not understood here, as patterns with stars, only
    costs time; with exceptions (``!``) among them, all is sent.
    """
    for name in IGNORE:
        if (folder / name).is_file():
            lines = [line.strip() for line in (folder / name).read_text(errors="replace").splitlines()]
            plain = [line.strip("/") for line in lines if line and line[0] != "#" and not set(line) & set("*?[\\")]
            return set() if any(line.startswith("!") for line in lines) else set(plain)
    return set()
