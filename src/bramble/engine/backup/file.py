"""Backups: one file with what a service knows, its secrets, and what is needed to make it anew from nothing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import BrambleError, UsageError

#: First in the file.
INDEX = "bramble-backup.json"

#: Bytes of an index, and of a secret; more is something else.
LARGEST = 1 << 24

#: Name of the part that came from the host.
CONTENT = "content.tar"

#: Bytes that are copied at a time.
CHUNK = 1 << 18

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}(/[A-Za-z0-9][A-Za-z0-9._-]{0,100})?$")]


class Origin(BaseModel):
    """Where a backup comes from.

    Attributes
    ----------
    format
        Of the file.
    made
        Time in UTC, ISO 8601.
    manager, address
        The host that manages the service, and its address then.
    hosts
        As an expression.
    options
        Of the service, as in the cluster file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    made: str
    cluster: str
    service: str
    manager: str
    address: str
    hosts: str
    options: dict[str, Any]


class _Index(BaseModel):
    model_config = ConfigDict(extra="forbid")

    origin: Origin
    files: dict[_Name, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


@dataclass(frozen=True)
class Kept:
    """A backup that was read.

    Attributes
    ----------
    secrets
        By name. Not part of the representation.
    content
        A tar archive for the hosts.
    """

    origin: Origin
    secrets: Mapping[str, bytes]
    content: Path

    def __repr__(self) -> str:
        return f"Kept({self.origin!r})"


def write(file: Path, origin: Origin, secrets: Mapping[str, bytes], content: Path) -> None:
    """Write a backup that only its owner can read.

    Raises
    ------
    UsageError
        The file is there already, or cannot be written.
    """
    if file.exists():
        raise UsageError(f"{file} is there already", hint=f"choose another name: --to {file.with_suffix('')}-2.backup")
    with content.open("rb") as opened:
        files = {CONTENT: hashlib.file_digest(opened, "sha256").hexdigest()}
    files |= {name: hashlib.sha256(value).hexdigest() for name, value in secrets.items()}
    index = json.dumps({"origin": origin.model_dump(), "files": files}, indent=1).encode()
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar, content.open("rb") as opened:
                for name, value in ((INDEX, index), *secrets.items()):
                    tar.addfile(_header(name, len(value)), io.BytesIO(value))
                tar.addfile(_header(CONTENT, content.stat().st_size), opened)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written", why=error.strerror or str(error)) from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def read(file: Path) -> Iterator[Kept]:
    """A backup, checked; what it holds is there as long as the context is.

    Raises
    ------
    UsageError
        There is no such file, or it is none that `write` wrote.
    BrambleError
        It was damaged or changed.
    """
    with tempfile.TemporaryDirectory(prefix="bramble-") as folder:
        content = Path(folder, CONTENT)
        try:
            with tarfile.open(file, mode="r:gz") as tar:
                index = _index(tar.next(), tar, file)
                secrets = dict(_members(tar, index, content, file))
        except (tarfile.TarError, EOFError) as error:
            raise _none(file, str(error)) from None
        except OSError as error:
            raise UsageError(f"{file} cannot be read", why=error.strerror or str(error)) from None
        yield Kept(index.origin, secrets, content)


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o600
    return header


def _index(first: tarfile.TarInfo | None, tar: tarfile.TarFile, file: Path) -> _Index:
    if first is None or first.name != INDEX or not first.isreg() or first.size > LARGEST:
        raise _none(file, f"it does not begin with {INDEX}")
    try:
        return _Index.model_validate_json(_opened(tar, first).read())
    except ValidationError as error:
        fault = error.errors()[0]
        raise _none(file, f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def _members(tar: tarfile.TarFile, index: _Index, content: Path, file: Path) -> Iterator[tuple[str, bytes]]:
    """The secrets; the content goes into its file. Whatever the index does not tell of is not believed."""
    left = dict(index.files)
    for member in tar:
        if member.name == INDEX:
            continue
        wanted = left.pop(member.name, "")
        if not wanted or not member.isreg() or (member.name != CONTENT and member.size > LARGEST):
            raise _odd(file, f"it holds {member.name!r}, which its index does not tell of")
        if member.name == CONTENT:
            with content.open("wb+") as out:
                shutil.copyfileobj(_opened(tar, member), out, CHUNK)
                out.seek(0)
                found = hashlib.file_digest(out, "sha256").hexdigest()
        else:
            value = _opened(tar, member).read()
            found = hashlib.sha256(value).hexdigest()
            yield member.name, value
        if found != wanted:
            raise _odd(file, f"{member.name} has another hash")
    if left:
        raise _odd(file, f"{min(left)} is missing")


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = tar.extractfile(member)
    assert opened
    return opened


def _none(file: Path, why: str) -> UsageError:
    return UsageError(f"{file} is no backup that bramble wrote, or it is damaged", why=why)


def _odd(file: Path, why: str) -> BrambleError:
    hint = "take another backup: this one was damaged or changed since it was made"
    return BrambleError(f"{file} is not as it was written, and nothing was changed", why=why, hint=hint)
