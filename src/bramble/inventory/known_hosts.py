"""Keys of known hosts, as lines of OpenSSH's known_hosts format. Bramble writes only its own file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from ..errors import BrambleError
from ..model import Host
from . import folders, storage

_SSH_PORT = 22


class KeyLine(Protocol):
    """What shows a host key as a line for known_hosts, such as ``bramble.connection.HostKey``."""

    @property
    def line(self) -> str:
        """``red01 ssh-ed25519 AAAA…``, without a line end."""


class _Known(NamedTuple):
    names: tuple[str, ...]
    kind: str
    key: str

    @classmethod
    def parse(cls, line: str) -> _Known | None:
        """None for comments, markers (@revoked, @cert-authority) and what else binds no key to a name."""
        fields = line.split()
        if len(fields) < 3 or line.startswith(("#", "@")):
            return None
        return cls(tuple(fields[0].split(",")), fields[1], fields[2])

    def is_of(self, names: Iterable[str]) -> bool:
        return any(_is_name(pattern, name) for pattern in self.names for name in names)


def state_of_key(host: Host, line: str) -> Literal["added", "known", "replaced"]:
    """What it would mean to remember a key: nothing new, a first one, or another in place of one that is known.

    Looks into bramble's own file, the host's ``known_hosts`` and ``~/.ssh/known_hosts``.

    Parameters
    ----------
    line
        The key, as a line for known_hosts.
    """
    new = _parsed(line)
    files = [folders.known_hosts(), Path("~/.ssh/known_hosts").expanduser()]
    if host.known_hosts:
        files.append(Path(host.known_hosts))
    keys = {
        known.key for path in files for known in _entries(path) if known.kind == new.kind and known.is_of(new.names)
    }
    return "known" if new.key in keys else "replaced" if keys else "added"


def remember_key(host: Host, key: KeyLine) -> None:
    """Put a host's key into bramble's own file (0600), in place of another of its kind.

    Raises
    ------
    BrambleError
        The file cannot be read or written.
    """
    new, path = _parsed(key.line), folders.known_hosts()
    with storage.locked(path):
        before = _read(path)
        kept = "".join(_without(before, set(new.names), new))
        if any((known.kind, known.key) == new[1:] and set(new.names) <= set(known.names) for known in _entries(path)):
            text = kept
        elif kept == before and before.endswith("\n"):
            _append(path, key.line)  # quick, where many hosts come in at once
            return
        else:
            gap = "" if not kept or kept.endswith("\n") else "\n"
            text = f"{kept}{gap}{key.line}\n"
        if text != before:
            storage.replace(path, text, mode=0o600)


def forget_keys(host: Host) -> None:
    """Take all keys of a host, by name and by address, out of bramble's own file.

    Raises
    ------
    BrambleError
        The file cannot be read or written.
    """
    path = folders.known_hosts()
    with storage.locked(path):
        before = _read(path)
        kept = "".join(_without(before, set(written_names(host))))
        if kept != before:
            storage.replace(path, kept, mode=0o600)


def fingerprints(host: Host) -> set[str]:
    """``SHA256:…`` of the keys by which bramble's own file knows a host."""
    names = written_names(host)
    keys = [known.key for known in _entries(folders.known_hosts()) if known.is_of(names)]
    digests = (hashlib.sha256(base64.b64decode(key)).digest() for key in keys)
    return {"SHA256:" + base64.b64encode(digest).decode().rstrip("=") for digest in digests}


def written_names(host: Host) -> tuple[str, ...]:
    """How a host's name and address stand in known_hosts: ``red01``, or ``[red01]:2222`` for a port of its own."""
    names = dict.fromkeys((host.name, host.address or host.name))
    return tuple(f"[{name}]:{host.port}" if host.port not in (0, _SSH_PORT) else name for name in names)


def _without(text: str, names: set[str], new: _Known | None = None) -> Iterator[str]:
    """The lines without these names: all of them, or those with another key of ``new``'s kind."""
    for line in text.splitlines(keepends=True):
        known = _Known.parse(line)
        stays = new is not None and known is not None and (known.kind != new.kind or known.key == new.key)
        if known is None or stays or not names & set(known.names):
            yield line
        elif left := [name for name in known.names if name not in names]:
            yield line.replace(line.split(maxsplit=1)[0], ",".join(left), 1)


def _entries(path: Path) -> list[_Known]:
    return [known for known in map(_Known.parse, _read(path).splitlines()) if known]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BrambleError(f"the known host keys in {path} cannot be read", why=error.strerror or "") from None


def _append(path: Path, line: str) -> None:
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise BrambleError(f"{path} cannot be written", why=error.strerror or "") from None


def _parsed(line: str) -> _Known:
    known = _Known.parse(line)
    if known is None:
        raise ValueError(f"this is no line for known_hosts: {line!r}")
    return known


def _is_name(pattern: str, name: str) -> bool:
    """Whether a pattern is this name; hashed as `HashKnownHosts` does it: ``|1|salt|HMAC-SHA1(salt, name)``."""
    if not pattern.startswith("|1|"):
        return pattern == name
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in pattern.split("|")[2:4])
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), hashlib.sha1), digest)
