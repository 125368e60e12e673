"""Files that hosts need and that no package of theirs brings: what they are, and where they come from. Pure data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import ClassVar

#: Debian's words for what a Pi, or a host beside it, may be.
ARCHITECTURES = ("arm64", "armhf", "amd64", "riscv64")


class Source:
    """Where an artifact comes from: one frozen dataclass for each kind; `engine.artifacts.ways` knows how it is had.

    Attributes
    ----------
    kind
        One word for people; ``given`` by the user where nothing else is said: then nobody else can bring it again.
    """

    kind: ClassVar[str] = "given"


@dataclass(frozen=True, kw_only=True)
class GoProgram(Source):
    """A program that the ordinary Go client builds, from sources that Go itself checks (go.sum).

    Attributes
    ----------
    files
        Name and text of each file of the module that pins them: go.mod, go.sum, perhaps programs of its own.
    package
        Import path of the program.
    variables
        Texts that are set when it is linked, by the variable's full name.
    static_c
        It holds C code, so it is linked with the C library, statically. Such a program is built only for the
        controller's own architecture.
    """

    kind: ClassVar[str] = "built"

    files: tuple[tuple[str, str], ...]
    package: str
    variables: tuple[tuple[str, str], ...] = ()
    static_c: bool = False


@dataclass(frozen=True, kw_only=True)
class Download(Source):
    """A file that its makers publish, or one out of an archive that they publish.

    It is believed because of its hash alone. One that stands here is best: it was looked at by people. Where the
    catalogue cannot have it, the makers' own list of hashes is asked, over HTTPS: then the file is believed as far as
    the server is.

    Attributes
    ----------
    urls
        Where it is. Each is tried when the ones before it do not have it.
    digest
        Of the file: ``sha256:`` or ``sha512:``, and the hash in hexadecimal.
    sums
        Where a list of hashes is that names the file, or a file that holds nothing but its hash. Either this or
        ``digest``.
    member
        Path of the one file that is wanted of an archive (tar, also compressed, or zip); empty for the file itself.

    Raises
    ------
    ValueError
        Nothing says what its hash must be, or it is asked over a way that others can change: a mistake of the
        catalogue's author.
    """

    kind: ClassVar[str] = "released"

    urls: tuple[str, ...]
    digest: str = ""
    sums: str = ""
    member: str = ""

    def __post_init__(self) -> None:
        if bool(self.digest) == bool(self.sums):
            raise ValueError(f"{self.urls}: either its hash, or where the list of hashes is")
        if self.digest and not re.fullmatch("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", self.digest):
            raise ValueError(f"{self.digest}: not the hash of a file")
        if not self.digest and not all(url.startswith("https://") for url in (*self.urls, self.sums)):
            raise ValueError(f"{self.urls}: what has no hash here must come by https://")


@dataclass(frozen=True, kw_only=True)
class MavenTree(Source):
    """A folder of Java libraries, as one tar archive: the ordinary Maven client fetches them, the rest stands here.

    Which libraries these are, a pom.xml says; each is believed because of the hash that stands here for it. So the
    archive is the same to the byte wherever it is made.

    Attributes
    ----------
    pom
        Text of the pom.xml. It also gives the version of maven-dependency-plugin, and what that leaves out.
    sums
        Text as ``sha256sum *.jar`` prints it: hash and file name of every library that Maven brings, and no others
        (``scripts/lock-jars`` writes it).
    folder
        Where the libraries lie in the tree.
    apart
        File name of a library → the folder where it lies instead.
    unpacked
        File name of a library of which only a folder is wanted → that folder's path in it, and in the tree.
    files
        What lies beside the libraries: path in the tree → text. Those in a folder called ``bin`` can be executed.

    Raises
    ------
    ValueError
        A line of ``sums`` is none, or a library is spoken of that is not in it: a mistake of the catalogue's author.
    """

    kind: ClassVar[str] = "maven"

    pom: str
    sums: str
    folder: str = "lib"
    apart: tuple[tuple[str, str], ...] = ()
    unpacked: tuple[tuple[str, tuple[str, str]], ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for line in self.sums.splitlines():
            if not re.fullmatch(r"[0-9a-f]{64}  [A-Za-z0-9._+-]+\.jar", line):
                raise ValueError(f"{line!r}: not the hash and the file name of a library")
        for name, _ in (*self.apart, *self.unpacked):
            if name not in self.hashes:
                raise ValueError(f"{name} has no hash")

    @property
    def hashes(self) -> dict[str, str]:
        """File name of each library → its SHA-256, hexadecimal."""
        return {line.split()[1]: line.split()[0] for line in self.sums.splitlines()}


@dataclass(frozen=True, kw_only=True)
class PythonPackage(Source):
    """Files of a package of the Python index, as one tar archive: the ordinary pip client fetches its source archive.

    That is believed because of the hash that stands here. From it, the archive is the same wherever it is made.

    Attributes
    ----------
    package, version
        As ``pip download package==version`` takes them.
    sha256
        Of its source archive, hexadecimal.
    size
        Of its source archive; bytes.
    unpacked
        Bytes of all that is in it.
    places
        Folder or file in the source archive (without the archive's own first folder) → where it goes in the tree.
        Nothing else of it is taken.
    without
        Patterns, as a shell knows them, of paths in the tree that are left out all the same.

    Raises
    ------
    ValueError
        The hash is none: a mistake of the catalogue's author.
    """

    kind: ClassVar[str] = "released"

    package: str
    version: str
    sha256: str
    size: int
    unpacked: int
    places: tuple[tuple[str, str], ...]
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"{self.sha256}: not the hash of a file")


@dataclass(frozen=True, kw_only=True)
class LocalFile(Source):
    """A file of the user's own: it was taken into the store when they gave it, and nobody else can bring it again.

    Attributes
    ----------
    again
        What they can do where a host needs it and it is there no more.
    """

    again: str


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that is brought to hosts.

    Attributes
    ----------
    name
        Unique in a plan together with ``architecture``; begins with the service's name: ``kubernetes/kubelet``.
    version
        As its makers count.
    architecture
        Debian's word: ``arm64``; ``all`` for what is the same everywhere.
    source
        How it can be had.
    sha256
        Hexadecimal; empty where it is known only once it is there (a program that is built).
    """

    name: str
    version: str
    architecture: str
    source: Source
    sha256: str = ""

    @property
    def id(self) -> str:
        """By which steps name it."""
        return f"{self.name}:{self.architecture}"

    @property
    def title(self) -> str:
        """As it is shown to people, ``kubernetes/kubelet 1.35.4 (arm64)``."""
        return f"{self.name} {self.version} ({self.architecture})"

    @property
    def key(self) -> str:
        """A mark of all that determines its content."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self)).encode()).hexdigest()
