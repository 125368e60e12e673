"""Host keys that were accepted before, from files in OpenSSH's known_hosts format.

A file is read once and indexed by name, so that finding the keys of a host costs the same whether the file has ten
lines or ten thousand. Hashed names cannot be indexed (each has a salt of its own), so they are tried only for names
that do not stand there plainly.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError

#: The port that a known_hosts file does not mention.
SSH_PORT = 22


def fingerprint(blob: bytes) -> str:
    """The fingerprint of a public key as ssh-keygen prints it: ``SHA256:…``."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def written_name(name: str, port: int = SSH_PORT) -> str:
    """How a host is written in a known_hosts file: ``red01``, ``[red01]:2222``."""
    return name.lower() if port == SSH_PORT else f"[{name.lower()}]:{port}"


class Entry(NamedTuple):
    """One line: a key and where it stands. ``marker`` is "", "cert-authority" or "revoked"."""

    marker: str
    kind: str
    key: str
    place: str

    @property
    def blob(self) -> bytes:
        """The key in SSH's binary form."""
        return base64.b64decode(self.key)


class _Pattern(NamedTuple):
    wanted: re.Pattern[str]
    unwanted: re.Pattern[str]
    entry: Entry


class _Hashed(NamedTuple):
    salt: bytes
    digest: bytes
    entry: Entry


class KnownHosts:
    """The host keys of one file.

    Attributes
    ----------
    problems
        Lines that cannot be read, with file and line. Like ssh we trust none of them and go on; who then lacks a key
        is told about them.
    """

    def __init__(self) -> None:
        self._plain: dict[str, list[Entry]] = {}
        self._patterns: list[_Pattern] = []
        self._hashed: list[_Hashed] = []
        self._hashed_marked: list[_Hashed] = []
        self._unhashed: dict[str, list[Entry]] = {}
        self.problems: list[str] = []

    @classmethod
    def read(cls, path: str) -> KnownHosts:
        """The keys in a file; none if it is not there.

        Raises
        ------
        UsageError
            A line that revokes a key cannot be read: going on could trust what must not be trusted.
        """
        book = cls()
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return book
        except OSError as error:
            book.problems.append(f"{path} cannot be read: {error.strerror}")
            return book
        for number, line in enumerate(text.splitlines(), 1):
            book.add(line, f"{path}:{number}")
        return book

    def add(self, line: str, place: str) -> None:
        """Take in one line. Raises as `read` does."""
        words = line.split()
        if not words or words[0].startswith("#"):
            return
        marker = words.pop(0)[1:] if words[0].startswith("@") else ""
        flaw = _flaw(marker, words)
        if flaw:
            if marker == "revoked":
                raise UsageError(f"{place}: a line that revokes a key cannot be read: {flaw}", hint=f"mend {place}")
            self.problems.append(f"{place}: {flaw}")
            return
        names, entry = words[0].lower(), Entry(marker, words[1], words[2], place)
        if names.startswith("|"):
            # The salt and the hash are case sensitive.
            _, _, salt, digest = words[0].split("|")
            hashed = self._hashed_marked if marker else self._hashed
            hashed.append(_Hashed(base64.b64decode(salt), base64.b64decode(digest), entry))
        elif any(mark in names for mark in "*?!"):
            wanted = [name for name in names.split(",") if not name.startswith("!")]
            unwanted = [name[1:] for name in names.split(",") if name.startswith("!")]
            self._patterns.append(_Pattern(_expression(wanted), _expression(unwanted), entry))
        else:
            for name in names.split(","):
                self._plain.setdefault(name, []).append(entry)

    def find(self, name: str) -> Iterator[Entry]:
        """The lines whose names match, hashed ones left out."""
        yield from self._plain.get(name, ())
        for pattern in self._patterns:
            if pattern.wanted.fullmatch(name) and not pattern.unwanted.fullmatch(name):
                yield pattern.entry

    def find_hashed(self, name: str) -> list[Entry]:
        """The lines whose hashed name is this one, those with a marker left out."""
        if name not in self._unhashed:
            self._unhashed[name] = list(_matching(self._hashed, name))
        return self._unhashed[name]

    def find_marked(self, name: str) -> Iterator[Entry]:
        """The lines with a marker whose names match, plain or hashed."""
        yield from (entry for entry in self.find(name) if entry.marker)
        yield from _matching(self._hashed_marked, name)


def _flaw(marker: str, words: Sequence[str]) -> str:
    """What is wrong with a line, "" if nothing."""
    if marker not in ("", "cert-authority", "revoked"):
        return f"unknown marker @{marker}"
    if len(words) < 3:
        return "a line needs a host name, a key type and a key"
    if words[0].startswith("|") and not re.fullmatch(r"\|1\|[A-Za-z0-9+/]+=*\|[A-Za-z0-9+/]+=*", words[0]):
        return "the hashed host name is damaged"
    try:
        blob = base64.b64decode(words[2], validate=True)
    except binascii.Error:
        return "the key is damaged"
    kind = words[1].encode()
    return "" if blob.startswith(len(kind).to_bytes(4, "big") + kind) else f"the key is no {words[1]} key"


def _matching(hashed: Iterable[_Hashed], name: str) -> Iterator[Entry]:
    said = name.encode()
    return (entry for salt, digest, entry in hashed if hmac.digest(salt, said, "sha1") == digest)


def _expression(patterns: Iterable[str]) -> re.Pattern[str]:
    translated = (re.escape(p).replace(r"\*", ".*").replace(r"\?", ".") for p in patterns)
    # With no pattern at all it must match nothing, not the empty name.
    return re.compile("|".join(translated) or r"(?!)")


class Verdict(Enum):
    """What is known of a key that a host shows."""

    KNOWN = "accepted before"
    NEW = "this host was never seen"
    CHANGED = "another key was accepted before"
    REVOKED = "this key was revoked"


class Judge:
    """What is known about one host.

    The names are asked in order, and the first with a key to it decides: a host that is known by its name is not
    accepted for the key of another host that had the same address yesterday.

    Parameters
    ----------
    names
        What the host is called, as `written_name` writes it, the most telling first.
    fallback
        Names (without a port) that count only where they match, as for OpenSSH.
    books
        The files to look in.
    """

    def __init__(self, names: Sequence[str], books: Sequence[KnownHosts], fallback: Sequence[str] = ()) -> None:
        self._names, self._fallback, self._books = names, fallback, books

    def judge(self, blob: bytes) -> tuple[Verdict, list[Entry]]:
        """The verdict on a key, with the lines it rests on."""
        shown = base64.b64encode(blob).decode()
        if revoked := [e for e in self._marked("revoked") if e.key == shown]:
            return Verdict.REVOKED, revoked
        for name in self._names:
            plain = self._keys(book.find(name) for book in self._books)
            if any(entry.key == shown for entry in plain):
                return Verdict.KNOWN, plain
            known = plain + self._keys(book.find_hashed(name) for book in self._books)
            if any(entry.key == shown for entry in known):
                return Verdict.KNOWN, known
            if known:
                return Verdict.CHANGED, known
        for name in self._fallback:
            known = [e for e in self._known_as(name) if e.key == shown]
            if known:
                return Verdict.KNOWN, known
        return Verdict.NEW, []

    def kinds(self) -> list[str]:
        """The types of the keys that are known: the ones to ask the host for."""
        for name in (*self._names, *self._fallback):
            plain = self._keys(book.find(name) for book in self._books)
            known = plain or self._known_as(name)
            if known:
                return list(dict.fromkeys(entry.kind for entry in known))
        return []

    def name(self) -> str:
        """The name that a key is known by: the first that has one; "" where none has."""
        names = (*self._names, *self._fallback)
        return next((name for name in names if self._known_as(name)), "")

    def authorities(self) -> set[bytes]:
        """The keys whose certificates count for this host."""
        return {entry.blob for entry in self._marked("cert-authority")}

    def problems(self) -> list[str]:
        """Lines that could not be read."""
        return [problem for book in self._books for problem in book.problems]

    def _known_as(self, name: str) -> list[Entry]:
        return self._keys(s for book in self._books for s in (book.find(name), book.find_hashed(name)))

    def _marked(self, marker: str) -> list[Entry]:
        names = (*self._names, *self._fallback)
        return [e for book in self._books for n in names for e in book.find_marked(n) if e.marker == marker]

    @staticmethod
    def _keys(found: Iterable[Iterable[Entry]]) -> list[Entry]:
        return [entry for entries in found for entry in entries if not entry.marker]
