"""What a verb takes along of the files here, and brings home: looked at before a service is asked for anything."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..api.backup import place
from ..engine import copying, packed
from ..engine.artifacts import bundle
from ..engine.images import context
from ..errors import UsageError

#: Standard input.
STDIN = "-"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Something to be sent.

    Attributes
    ----------
    name
        What it is called there.
    file
        A file here, or `STDIN`; or
    pack
        writes a folder as an archive, which becomes a folder there.
    """

    name: str
    file: str = ""
    pack: Callable[[IO[bytes]], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Download:
    """Something that the verb makes there.

    Attributes
    ----------
    name
        What it is called there.
    to
        Where it goes here.
    folder
        Whether it is one; what is in it goes into that folder here.
    mode
        Permissions of a file.
    guarded
        Why not everybody who may ask for the verb is given it.
    """

    name: str
    to: Path
    folder: bool = False
    mode: int = 0o666
    guarded: str = ""


@dataclass(frozen=True, kw_only=True)
class Luggage:
    """The files of a verb.

    Attributes
    ----------
    values
        Its arguments, with what files are called there.
    called
        What they are called there, and how the person calls them.
    left_out
        What cannot go along: sockets, devices and pipes.
    """

    values: dict[str, Any]
    up: tuple[Upload, ...] = ()
    down: Download | None = None
    called: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def told(self, data: Any) -> Any:
        """JSON from there, with files called as they are here."""
        if isinstance(data, str):
            for name in sorted(self.called, key=len, reverse=True):
                data = data.replace(name, self.called[name])
            return data
        if isinstance(data, dict):
            return {name: self.told(value) for name, value in data.items()}
        return [self.told(one) for one in data] if isinstance(data, list | tuple) else data


def of(verb: str, values: dict[str, Any]) -> Luggage:
    """The files of a call.

    Raises
    ------
    UsageError
        One that is to be read cannot be, or one that is to be written is there already: what the verb says of it here.
    """
    return _OF[verb](values) if verb in _OF else Luggage(values=values)


def _copy(values: dict[str, Any]) -> Luggage:
    given = list(values["files"])
    found, left_out = copying.gather(given, hashed=False)
    if not given:
        return Luggage(values=values)
    name = _name()
    called = {f"{name}/{Path(path).absolute().name}": path for path in given}
    return Luggage(
        values={**values, "files": list(called)},
        up=(Upload(name=name, pack=lambda out: packed.pack(found, out)),),
        called={**called, name: ", ".join(given)},
        left_out=tuple(left_out),
    )


def _fetch(values: dict[str, Any]) -> Luggage:
    name, into = _name(), Path(values.get("into", "."))
    down = Download(name=name, to=into, folder=True)
    return Luggage(values={**values, "into": name}, down=down, called={name: str(into)})


def _backup(values: dict[str, Any]) -> Luggage:
    name, file = _name(), place(values.get("to", ""), values["cluster"], values["service"])
    guarded = f"a backup has the keys of {values['service']} in it, so a service gives it to admins alone"
    down = Download(name=name, to=file, mode=0o600, guarded=guarded)
    return Luggage(values={**values, "to": name}, down=down, called={name: str(file)})


def _artifacts_export(values: dict[str, Any]) -> Luggage:
    name, file = _name(), Path(values["file"])
    bundle.require_new(file)
    down = Download(name=name, to=file)
    return Luggage(values={**values, "file": name}, down=down, called={name: str(file)})


def _artifacts_import(values: dict[str, Any]) -> Luggage:
    return _file(values, "cannot be taken in")


def _restore(values: dict[str, Any]) -> Luggage:
    return _file(values, "cannot be read")


def _file(values: dict[str, Any], fault: str) -> Luggage:
    path, name = values["file"], _name()
    _require(path, f"{path} {fault}")
    return Luggage(values={**values, "file": name}, up=(Upload(name=name, file=path),), called={name: path})


def _images_load(values: dict[str, Any]) -> Luggage:
    called = {_name(): path for path in values["files"]}
    for path in called.values():
        if path != STDIN:
            _require(path, f"{Path(path).name} cannot be read")
    return Luggage(
        values={**values, "files": list(called)},
        up=tuple(Upload(name=name, file=path) for name, path in called.items()),
        called={name: "standard input" if path == STDIN else path for name, path in called.items()},
    )


def _images_build(values: dict[str, Any]) -> Luggage:
    given, file, name = values["folder"], values.get("file", ""), _name()
    folder, _ = context.recipe(Path(given), file)
    how = context.containerfile(Path(given), file).resolve()
    if not how.is_relative_to(folder):
        raise UsageError(
            f"{file or how} is not in {given}, and only that folder goes to the service", hint=f"cp {how} {given}"
        )
    inner = str(how.relative_to(folder))

    def pack(out: IO[bytes]) -> None:
        # Builders read it also where they are told to ignore it.
        context.pack(folder, out, keep=inner)

    sent = {**values, "folder": name} | ({"file": inner} if file else {})
    return Luggage(values=sent, up=(Upload(name=name, pack=pack),), called={name: given})


def _require(path: str, fault: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise UsageError(fault, why=error.strerror or str(error)) from None


def _name() -> str:
    """One that nothing else has there. By how it begins, the service knows what to take away where nobody comes."""
    return f"luggage-{secrets.token_hex(8)}"


_OF: Mapping[str, Callable[[dict[str, Any]], Luggage]] = {
    "artifacts_export": _artifacts_export,
    "artifacts_import": _artifacts_import,
    "backup": _backup,
    "copy": _copy,
    "fetch": _fetch,
    "images_build": _images_build,
    "images_load": _images_load,
    "restore": _restore,
}
