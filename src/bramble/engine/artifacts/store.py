"""What was fetched, kept on the controller by its hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ...artifact import Artifact, LocalFile
from ...errors import BrambleError

#: Bytes that are read at a time.
CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An artifact that is here.

    Attributes
    ----------
    name, version, architecture
        As in `Artifact`.
    sha256, size
        Of its content; bytes.
    source
        `Source.kind` of what it came by.
    """

    name: str
    version: str
    architecture: str
    sha256: str
    size: int
    source: str = "built"

    @property
    def title(self) -> str:
        """As `Artifact.title`."""
        return f"{self.name} {self.version} ({self.architecture})"


class Store:
    """A folder of files by their hashes, ``blobs/``, and of notes which artifact each is, ``index/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs, self._index = folder / "blobs", folder / "index"

    def path(self, sha256: str) -> Path:
        """Where a file with this hash lies."""
        return self._blobs / sha256

    def find(self, artifact: Artifact) -> Stored | None:
        """The artifact, if it is here."""
        try:
            found = Stored(**json.loads((self._index / artifact.key).read_text()))
            there = self.path(found.sha256).stat().st_size == found.size
            return found if there and artifact.sha256 in ("", found.sha256) else None
        except FileNotFoundError:
            return None

    def require(self, artifact: Artifact, stored: Stored) -> None:
        """Refuse a file that is not what was taken in. One that nobody touched since is not read for that.

        Raises
        ------
        BrambleError
            Names the file and both hashes.
        """
        file, note = self.path(stored.sha256), self._index / artifact.key
        # The note was written after the file, and nobody can set the time of a file's last change.
        if file.stat().st_ctime_ns <= note.stat().st_mtime_ns:
            return
        now = digest(file)
        if now != stored.sha256:
            again = artifact.source.again if isinstance(artifact.source, LocalFile) else "it comes or is built anew"
            raise BrambleError(
                f"{stored.title} was changed since it was kept on this machine, and no host was touched",
                why=f"the SHA-256 of {file} is {now}, and must be {stored.sha256}",
                hint=f"a failing disk, or somebody's doing? rm {file}; then run the same again: {again}",
            )
        with contextlib.suppress(OSError):  # somebody else's: then it is read each time
            os.utime(note)

    def all(self) -> dict[str, Stored]:
        """Everything that is here by `Artifact.key`, in the order of names."""
        notes = {path.name: Stored(**json.loads(path.read_text())) for path in self._index.glob("[0-9a-f]" * 64)}
        return dict(sorted(notes.items(), key=lambda note: (note[1].name, note[1].version, note[1].architecture)))

    def add(self, artifact: Artifact, file: Path) -> Stored:
        """Take a file in; it is moved.

        Raises
        ------
        BrambleError
            It is not what the artifact says it must be; then it is taken away.
        """
        sha256, size = digest(file), file.stat().st_size
        if artifact.sha256 and sha256 != artifact.sha256:
            file.unlink()
            raise BrambleError(
                f"{artifact.title} is not what it must be, and nothing was touched",
                why=f"its SHA-256 is {sha256}, and must be {artifact.sha256}",
                hint="something on the way changes files, or its makers replaced it: try from another network",
            )
        stored = Stored(
            name=artifact.name,
            version=artifact.version,
            architecture=artifact.architecture,
            sha256=sha256,
            size=size,
            source=artifact.source.kind,
        )
        self.take({artifact.key: stored}, {sha256: file})
        return stored

    def take(self, notes: Mapping[str, Stored], files: Mapping[str, Path]) -> None:
        """Take in files whose hashes are known, moving them, and then the notes that say what they are."""
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._index.mkdir(exist_ok=True)
        for sha256, file in files.items():
            file.chmod(0o644)
            os.replace(file, self.path(sha256))
        for key, stored in notes.items():
            note = self._index / f"{key}.new"
            note.write_text(json.dumps(asdict(stored)))
            os.replace(note, self._index / key)

    def forget(self, artifact: Artifact) -> None:
        """Take an artifact away, and its file unless it is that of another one, too."""
        found = self.find(artifact)
        (self._index / artifact.key).unlink(missing_ok=True)
        if found is not None and all(one.sha256 != found.sha256 for one in self.all().values()):
            self.path(found.sha256).unlink(missing_ok=True)

    def workshop(self, artifact: Artifact) -> Path:
        """A folder for what is being fetched: what a cut left there is gone on with."""
        folder = self.folder / "work" / artifact.key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clean(self, keep: Collection[str] = ()) -> int:
        """Take everything away but what has these keys; returns the bytes that are free by that."""
        kept = {key: one for key, one in self.all().items() if key in keep}
        hashes = {one.sha256 for one in kept.values()}
        going = [path for path in self._blobs.glob("*") if path.name not in hashes]
        going += [path for path in (self.folder / "work").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in going)
        if not kept:
            shutil.rmtree(self.folder, ignore_errors=True)
            return size
        for path in (*going, *(note for note in self._index.glob("*") if note.name not in kept)):
            path.unlink()
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        return size


def require_room(folder: Path, size: int, clean: str = "bramble artifacts clean --unused") -> None:
    """Refuse before the first byte what does not fit.

    Parameters
    ----------
    clean
        The command that makes room.

    Raises
    ------
    BrambleError
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise BrambleError(
            "too little room on this machine",
            why=f"{size / 1e6:.0f} MB are wanted, {free / 1e6:.0f} MB are free in {folder}",
            hint=f"{clean}, or a larger disk: export XDG_CACHE_HOME=/path/to/folder",
        )


def digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    total = hashlib.sha256()
    with file.open("rb") as opened:
        while data := opened.read(CHUNK):
            total.update(data)
    return total.hexdigest()
