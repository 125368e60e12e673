"""Java libraries that the ordinary Maven client fetches, checked one by one and packed into one tar archive."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path, PurePosixPath

from ...artifact import Artifact, MavenTree
from ...errors import BrambleError
from .client import talk
from .store import digest

#: What copies libraries into a folder; the pom.xml says which version.
GOAL = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"

#: Lines of what Maven said that go along with an error.
LOG_LINES = 6

#: Files named in an error.
NAMED = 5


def alike(artifact: Artifact) -> Hashable:
    """Each is fetched by itself: there is one for a service."""
    return artifact.key


async def bring(wanted: list[Artifact], folder: Path, tell: Callable[[str], None]) -> list[Path]:
    """Have the libraries of a pom.xml, and make the tree of them.

    Raises
    ------
    BrambleError
        There is no Maven, it failed (with what it said), or a library is not what it must be.
    """
    (artifact,) = wanted
    source = artifact.source
    assert isinstance(source, MavenTree)
    jars = folder / "jars"
    shutil.rmtree(jars, ignore_errors=True)
    await _fetch(source, folder, jars, tell)
    await asyncio.to_thread(_check, source, jars)
    tell("each library is what it must be; packs them")
    tree = folder / "tree.tar"
    try:
        await asyncio.to_thread(_pack, source, jars, tree)
    except OSError as error:
        hint = f"df -h {folder}"
        raise BrambleError("it cannot be kept here", why=error.strerror or str(error), hint=hint) from None
    return [tree]


def client() -> str:
    """Where the Maven client is.

    Raises
    ------
    BrambleError
        There is none.
    """
    path = shutil.which("mvn")
    if path:
        return path
    raise BrambleError(
        "there is no Maven on this machine to fetch its libraries with",
        why="mvn is not found",
        hint="install it: sudo apt install maven  (macOS: brew install maven); or bring what a machine that has it "
        "fetched: bramble artifacts export FILE there, bramble artifacts import FILE here",
    )


async def _fetch(source: MavenTree, folder: Path, jars: Path, tell: Callable[[str], None]) -> None:
    (folder / "pom.xml").write_text(source.pom)
    fetched: set[str] = set()

    def heard(line: str) -> None:
        match = re.match(r"\[INFO\] Downloaded from .*/([^/ ]+\.jar)\b", line)
        if match and match[1] in source.hashes:
            fetched.add(match[1])
            tell(f"downloading {len(fetched)} of up to {len(source.hashes)}: {match[1]}")

    tell(f"fetches {len(source.hashes)} libraries with Maven")
    words = [client(), "--batch-mode", "-Dstyle.color=never", "--file", "pom.xml", GOAL, f"-DoutputDirectory={jars}"]
    status, log = await talk(words, folder, os.environ, heard)
    if status != 0:
        raise BrambleError(
            "Maven could not fetch its libraries",
            why="\n".join(_complaint(log)),
            hint="the same again goes on where it stopped; a proxy or a mirror is set in ~/.m2/settings.xml; without a "
            "network: bramble artifacts import FILE",
        )


def _complaint(log: list[str]) -> list[str]:
    """What Maven says is wrong, without its advice on how to call it; its last lines where it marked none."""
    errors = [line.removeprefix("[ERROR]").strip() for line in log if line.startswith("[ERROR]")]
    errors = errors[: errors.index("")] if "" in errors else errors
    return errors[:LOG_LINES] or [line for line in log if line][-LOG_LINES:]


def _check(source: MavenTree, jars: Path) -> None:
    came = {path.name: path for path in jars.glob("*")}
    wrong = []
    for name, wanted in source.hashes.items():
        if name not in came:
            wrong.append(f"{name} did not come")
        elif (found := digest(came[name])) != wanted:
            wrong.append(f"the SHA-256 of {name} is {found}, and must be {wanted}")
    wrong += [f"{name} came, and nothing says what it must be" for name in sorted(set(came) - set(source.hashes))]
    if wrong:
        more = [f"and {len(wrong) - NAMED} more"] if len(wrong) > NAMED else []
        raise BrambleError(
            "Maven brought something else than it must be, and nothing was touched",
            why="\n".join(wrong[:NAMED] + more),
            hint="a mirror in ~/.m2/settings.xml, or something on the way, that changes files? Take the file out of "
            "~/.m2/repository and try from another network",
        )


def _pack(source: MavenTree, jars: Path, tree: Path) -> None:
    """The tree as a tar: sorted, without times and owners, so that equal content is an equal file."""
    contents: dict[str, Path | bytes] = {path: text.encode() for path, text in source.files}
    apart, unpacked = dict(source.apart), dict(source.unpacked)
    for name in source.hashes:
        if name in unpacked:
            contents.update(_inside(jars / name, *unpacked[name]))
        else:
            contents[f"{apart.get(name, source.folder)}/{name}"] = jars / name
    folders = {str(folder) for path in contents for folder in PurePosixPath(path).parents} - {"."}
    with tarfile.open(tree, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted({*contents, *folders}):
            entry = tarfile.TarInfo(path)
            if path in folders:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
                continue
            content = contents[path]
            entry.mode = 0o755 if "bin" in PurePosixPath(path).parts[:-1] else 0o644
            if isinstance(content, bytes):
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            else:
                entry.size = content.stat().st_size
                with content.open("rb") as file:
                    tar.addfile(entry, file)


def _inside(jar: Path, folder: str, place: str) -> Iterator[tuple[str, bytes]]:
    """The files of a folder in a library, as the paths that they get in the tree."""
    with zipfile.ZipFile(jar) as packed:
        for entry in packed.infolist():
            inner = PurePosixPath(entry.filename)
            if not entry.is_dir() and inner.is_relative_to(folder) and ".." not in inner.parts:
                yield f"{place}/{inner.relative_to(folder)}", packed.read(entry)
