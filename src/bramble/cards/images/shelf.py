"""Images that were fetched, each in a folder by its hash, under its makers' own name, with a note of what it is.

The same bytes under two names lie here twice, so that either can go alone::

    kept/SHA256-MARK/2025-11-24-raspios-trixie-arm64-lite.img.xz
    kept/SHA256-MARK/note.json
    work/MARK/…                 what is being fetched, or was cut off
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path

from ...engine.workshop import claim
from .image import Image, Kept

_NOTE = "note.json"


class Shelf:
    """Where they lie.

    Parameters
    ----------
    folder
        It need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept, self._work = folder / "kept", folder / "work"

    def workshop(self, image: Image) -> Path:
        """The folder in which an image is fetched."""
        return self._work / image.key

    def find(self, image: Image) -> Kept | None:
        """The image, if it is here."""
        for one in self.all():
            same = (one.url, one.extract_sha256) == (image.url, image.extract_sha256)
            if one.sha256 == image.download_sha256 if image.download_sha256 else same:
                return one
        return None

    def all(self) -> tuple[Kept, ...]:
        """Everything that is here, by names."""
        found = []
        for note in self._kept.glob(f"*/{_NOTE}"):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # it was taken away in this moment
                kept = Kept.of_note(note)
                if kept.path.stat().st_size == kept.size:
                    found.append(kept)
        return tuple(sorted(found, key=lambda one: (one.name, one.released)))

    def sound(self, kept: Kept) -> bool:
        """Whether a file is still what was kept. One that nobody touched since is not read for that."""
        # The note was written after the file, and nobody can set the time of a file's last change.
        note = kept.path.with_name(_NOTE)
        try:
            if kept.path.stat().st_ctime_ns <= note.stat().st_mtime_ns:
                return True
            if digest(kept.path, "sha256") != kept.sha256:
                return False
            os.utime(note)
        except OSError:
            return False
        return True

    def add(self, image: Image, part: Path, *, sha256: str, checked: bool, mark: str) -> Kept:
        """Take in a whole file; it is moved. It is there with its note, or not at all."""
        place = self._kept / f"{sha256}-{image.key[:8]}"
        kept = Kept(
            name=image.name,
            title=image.title,
            url=image.url,
            released=image.released,
            extract_sha256=image.extract_sha256,
            sha256=sha256,
            size=part.stat().st_size,
            checked=checked,
            mark=mark,
            fetched=time.time(),
            path=place / image.file,
        )
        made = part.with_name("whole")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        os.replace(part, made / image.file)
        (made / _NOTE).write_text(kept.note(), encoding="utf-8")
        self._kept.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)  # what is left of one that was damaged
        os.replace(made, place)
        return kept

    def remove(self, kept: Kept) -> int:
        """Take one away; returns the bytes that are free by that."""
        shutil.rmtree(kept.path.parent, ignore_errors=True)
        return kept.size

    def parts(self) -> dict[str, int]:
        """`Image.key` of each image of which only a part is here → its bytes."""
        found: dict[str, int] = {}
        for part in self._work.glob("*/*.part"):
            with contextlib.suppress(OSError):
                found[part.parent.name] = part.stat().st_size
        return found

    def sweep(self) -> int:
        """Take away what was cut off, unless a run is fetching it now; returns the bytes that are free by that."""
        size = 0
        for key, part in self.parts().items():
            lock = claim(self._work / key)
            if lock is not None:
                shutil.rmtree(self._work / key, ignore_errors=True)
                os.close(lock)
                size += part
        return size


def digest(file: Path, kind: str) -> str:
    """A hash of a file, hexadecimal: ``sha256`` or ``sha512``."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, kind).hexdigest()
