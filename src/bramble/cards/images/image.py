"""Images of systems: those that a list tells of, and files of the user's own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from ..init_format import InitFormat


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that can be had from somewhere. What is not known is empty, or 0.

    Attributes
    ----------
    name
        By which it is chosen, ``raspios-lite``; for one that no list tells of, the name of its file.
    title
        As its makers call it.
    url
        Where it is: ``https:``, ``http:`` or ``file:``.
    aliases
        Further names: ``raspios-lite-trixie`` stays the same image when there is a newer Raspberry Pi OS.
    architecture
        Debian's word: ``arm64``, ``armhf``.
    released
        Day of its release, ``2025-11-24``.
    download_size, download_sha256
        Of the file as it is fetched, mostly compressed; bytes, and hexadecimal.
    extract_size, extract_sha256
        Of what is written onto a card; bytes, and hexadecimal.
    init_format
        How it takes its customisation; None where only a look into it can tell.
    devices
        Models it is made for, in the words of Raspberry Pi Imager: ``pi5-64bit``.
    usual
        Whether it is one for clusters: Raspberry Pi OS or Ubuntu Server, and bramble can customise it.
    """

    name: str
    title: str
    url: str
    aliases: tuple[str, ...] = ()
    architecture: str = ""
    released: str = ""
    download_size: int = 0
    download_sha256: str = ""
    extract_size: int = 0
    extract_sha256: str = ""
    init_format: InitFormat | None = None
    devices: tuple[str, ...] = ()
    usual: bool = False

    @property
    def file(self) -> str:
        """The name of its file, as its makers publish it."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name or "image"

    @property
    def key(self) -> str:
        """A mark of all that determines its content."""
        facts = (self.url, self.download_sha256, self.extract_size, self.extract_sha256)
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """An image that is a file of the user's own, compressed or not. What is in it, only a look into it can tell.

    Attributes
    ----------
    path
        Where it lies.
    """

    path: Path

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.name

    title = name


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An image that was fetched, and is here.

    Attributes
    ----------
    name, title, url, released, extract_sha256
        As in `Image`, when it was fetched.
    sha256, size
        Of the file; bytes.
    checked
        Whether a hash vouched for it.
    mark
        What the server called this state of the file (`engine.web.Fetch.mark`).
    fetched
        When; seconds since 1970.
    path
        Where it lies.
    """

    name: str
    title: str
    url: str
    released: str
    extract_sha256: str
    sha256: str
    size: int
    checked: bool
    mark: str
    fetched: float
    path: Path

    def note(self) -> str:
        """As it is kept beside the file."""
        return json.dumps({**asdict(self), "path": self.path.name})

    @classmethod
    def of_note(cls, note: Path) -> Kept:
        """Read from a note.

        Raises
        ------
        OSError, ValueError, TypeError
            It is none, or cannot be read.
        """
        facts = json.loads(note.read_text(encoding="utf-8"))
        return cls(**{**facts, "path": note.with_name(PurePosixPath(facts["path"]).name)})
