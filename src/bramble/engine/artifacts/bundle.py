"""What is kept as one file, to be carried to where there is no network: a plain tar with an index of hashes."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import BrambleError, UsageError
from .store import CHUNK, Store, Stored, require_room

#: First in the tar, so that all is known before the first byte of the rest.
INDEX = "bramble-artifacts.json"

#: Bytes of an index; more is something else.
LARGEST = 1 << 24

_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+:@/~-]{0,250}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: _Word
    version: _Word
    architecture: _Word
    sha256: _Hash
    size: Annotated[int, Field(ge=0)]
    source: Annotated[str, Field(pattern=r"^[a-z]{0,20}$")]


class _Index(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal[1]
    artifacts: dict[_Hash, _Entry]


def export(store: Store, notes: Mapping[str, Stored], file: Path) -> None:
    """Write artifacts into a file; the same ones make the same file.

    Raises
    ------
    UsageError
        The file is there already, or cannot be written.
    BrambleError
        What is kept was damaged.
    """
    require_new(file)
    part = file.with_name(f"{file.name}.part")
    index = {"format": 1, "artifacts": {key: asdict(one) for key, one in sorted(notes.items())}}
    try:
        with part.open("wb") as out, tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            text = json.dumps(index, indent=1).encode()
            tar.addfile(_header(INDEX, len(text)), io.BytesIO(text))
            for sha256, size in sorted({one.sha256: one.size for one in notes.values()}.items()):
                with store.path(sha256).open("rb") as content:
                    if hashlib.file_digest(content, "sha256").hexdigest() != sha256:
                        raise _damaged(sha256, notes)
                    content.seek(0)
                    tar.addfile(_header(f"blobs/{sha256}", size), content)
        part.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written", why=error.strerror or str(error)) from None
    finally:
        part.unlink(missing_ok=True)


def require_new(file: Path) -> None:
    """Nothing is written over.

    Raises
    ------
    UsageError
        The file is there already.
    """
    if file.exists():
        raise UsageError(f"{file} is there already", hint=f"rm {file}, or choose another name")


def take_in(store: Store, file: Path) -> dict[str, Stored]:
    """Take in what such a file holds: all of it or, where anything about it is odd, nothing.

    Raises
    ------
    UsageError
        There is no such file, or it is none that `export` wrote.
    BrambleError
        It was damaged or changed, or there is no room for what it holds.
    """
    try:
        with file.open("rb") as opened, tarfile.open(fileobj=opened, mode="r|") as tar:
            entries = iter(tar)
            index = _index(tar, next(entries, None), file)
            notes = {key: Stored(**entry.model_dump()) for key, entry in index.artifacts.items()}
            sizes = {one.sha256: one.size for one in notes.values()}
            store.folder.mkdir(parents=True, exist_ok=True)
            require_room(store.folder, sum(sizes.values()))
            with tempfile.TemporaryDirectory(dir=store.folder, prefix="import-") as folder:
                files = _blobs(tar, entries, sizes, Path(folder), file)
                store.take(notes, files)
    except tarfile.TarError as error:
        raise _odd(file, str(error)) from None
    except OSError as error:
        raise UsageError(f"{file} cannot be taken in", why=error.strerror or str(error)) from None
    return notes


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o644
    return header


def _index(tar: tarfile.TarFile, first: tarfile.TarInfo | None, file: Path) -> _Index:
    if first is None or first.name != INDEX or not first.isreg() or first.size > LARGEST:
        raise UsageError(f"{file} was not written by bramble artifacts export", hint="bramble artifacts export FILE")
    content: Any = tar.extractfile(first)
    try:
        return _Index.model_validate_json(content.read())
    except ValidationError as error:
        fault = error.errors()[0]
        raise _odd(file, f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def _blobs(
    tar: tarfile.TarFile, entries: Iterable[tarfile.TarInfo], sizes: Mapping[str, int], folder: Path, file: Path
) -> dict[str, Path]:
    """The files, each of which the index must name, under names of ours; nothing of the tar chooses a path."""
    found: dict[str, Path] = {}
    for entry in entries:
        match = re.fullmatch(r"blobs/([0-9a-f]{64})", entry.name)
        if match is None or match[1] not in sizes or match[1] in found or not entry.isreg():
            raise _odd(file, f"it holds {entry.name!r}, which its index does not tell of")
        sha256 = match[1]
        if entry.size != sizes[sha256]:
            raise _odd(file, f"{entry.name} is of another size than its index tells")
        content: Any = tar.extractfile(entry)
        total = hashlib.sha256()
        with (folder / sha256).open("wb") as out:
            while data := content.read(CHUNK):
                total.update(data)
                out.write(data)
        if total.hexdigest() != sha256:
            raise _odd(file, f"{entry.name} has another hash")
        found[sha256] = folder / sha256
    missing = sizes.keys() - found.keys()
    if missing:
        raise _odd(file, f"blobs/{min(missing)} is missing")
    return found


def _odd(file: Path, why: str) -> BrambleError:
    hint = "it was damaged or changed on the way: export it anew"
    return BrambleError(f"{file} is not as it was written, and nothing of it was taken in", why=why, hint=hint)


def _damaged(sha256: str, notes: Mapping[str, Stored]) -> BrambleError:
    titles = ", ".join(one.title for one in notes.values() if one.sha256 == sha256)
    return BrambleError(f"{titles}: what is kept of it was damaged", hint="bramble artifacts clean, and fetch it again")
