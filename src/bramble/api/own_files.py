"""Secrets that a person brings to a service in a file of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import inventory
from ..engine.secrets import SecretStore
from ..errors import UsageError
from ..runner.secret import Secret
from ..services import OwnFile, Service

#: In place of a file's name: what came was not from a file, and only the copy that is kept knows it.
STANDARD_INPUT = "-"


@dataclass
class Brought:
    """What was brought.

    Attributes
    ----------
    options
        The service's, fit for the cluster's file: the names of files, never what is in them.
    contents
        By the secret's name; None for one that is not wanted any more.
    notes
        What a person should know about it.
    """

    options: dict[str, Any]
    contents: dict[str, bytes | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def bring(room: Service, cluster: str, recorded: Mapping[str, Any], given: Mapping[str, object]) -> Brought:
    """Read the files that a service's options name, before any host is touched.

    A file is read at each deployment. Where one of an earlier deployment is not there any more, the copy that was kept
    then goes on.

    Parameters
    ----------
    given
        Options of this call: the name of a file, or a `Secret` with a value that came in another way; empty for one
        that is not wanted any more.

    Raises
    ------
    UsageError
        A file cannot be read, or is not what it should be.
    """
    brought = Brought({**recorded, **given})
    store = SecretStore(inventory.folders.secrets(cluster))
    for own in room.own_files:
        name, kept = own.option, store.has(own.secret)
        value = brought.options.get(name) or ""
        if not value:
            brought.contents[own.secret.name] = None
        elif isinstance(value, Secret):
            brought.options[name] = STANDARD_INPUT
            _take(brought, "standard input", own, value.reveal())
        elif str(value).lstrip().startswith(("{", "[")):
            raise UsageError(f"{name} is the name of a file: what is in it would be seen by all", hint=own.hint)
        elif value == STANDARD_INPUT and kept:
            continue
        elif value == STANDARD_INPUT:
            raise UsageError(f"{name}: nothing is kept of what came from standard input", hint=own.hint)
        else:
            path = Path(str(value)).expanduser()
            if name in given and not str(value).startswith("~"):
                brought.options[name] = str(path.absolute())
            try:
                content = path.read_bytes()
                open_to_others = not own.public and path.is_file() and path.stat().st_mode & 0o077
            except OSError as error:
                if isinstance(error, FileNotFoundError) and kept and name not in given:
                    brought.notes.append(f"{name}: {value} is not there any more; what was read from it before is used")
                    continue
                raise UsageError(f"{name}: {value} cannot be read", why=error.strerror or "", hint=own.hint) from None
            if open_to_others:
                brought.notes.append(f"others can read {value}: chmod 600 {value}")
            _take(brought, str(value), own, content)
    return brought


def _take(brought: Brought, source: str, own: OwnFile, content: bytes) -> None:
    try:
        brought.contents[own.secret.name], told = own.read(content)
    except ValueError as error:
        raise UsageError(f"{own.option}: {source} cannot be used: {error}", hint=own.hint) from None
    brought.notes.append(f"{own.option}: {told}")
