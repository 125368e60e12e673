"""Packages of the Python index that the ordinary pip client fetches, as trees: checked, and packed into one archive."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import functools
import importlib.util
import os
import re
import shutil
import sys
import tarfile
import threading
import zlib
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

from ...artifact import Artifact, PythonPackage
from ...errors import BrambleError
from .client import talk
from .store import digest, require_room

#: Lines of what pip said that go along with an error.
LOG_LINES = 6

#: Seconds between two looks at how far pip is.
TICK = 1.0


def alike(artifact: Artifact) -> Hashable:
    """Trees of one source archive come by one fetch."""
    return _source(artifact).sha256


async def bring(wanted: list[Artifact], folder: Path, tell: Callable[[str], None]) -> list[Path]:
    """Have the source archive of a package, and make trees of what is in it.

    pip itself cannot go on with half an archive; a whole one outlives an interrupt of what comes after it.

    Raises
    ------
    BrambleError
        There is no pip, no room, it failed (with what it said), or what came is not what it must be.
    """
    source = _source(wanted[0])
    archive = folder / "source.part"
    if not archive.exists() or await asyncio.to_thread(digest, archive) != source.sha256:
        archive.unlink(missing_ok=True)
        # The archive, pip's own copy of it, and what pip unpacks of it to look at: more than of anything later.
        require_room(folder, 2 * source.size + source.unpacked)
        await _fetch(source, folder, archive, tell)
    tell("it is what it must be; packs what hosts need of it")
    trees = [folder / f"tree-{number}.tar" for number in range(len(wanted))]
    for one, tree in zip(wanted, trees, strict=True):
        await _in_thread(functools.partial(_pack, _source(one), archive, tree))
    archive.unlink()
    return trees


def client() -> list[str]:
    """How pip is called: that of our own Python, or the system's.

    Raises
    ------
    BrambleError
        There is none.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    path = shutil.which("pip3") or shutil.which("pip")
    if path:
        return [path]
    raise BrambleError(
        "there is no pip on this machine to fetch it with",
        hint="install it: sudo apt install python3-pip, or python3 -m ensurepip; or bring what a machine that has it "
        "fetched: bramble artifacts export FILE there, bramble artifacts import FILE here",
    )


def _source(artifact: Artifact) -> PythonPackage:
    assert isinstance(artifact.source, PythonPackage)
    return artifact.source


async def _fetch(source: PythonPackage, folder: Path, archive: Path, tell: Callable[[str], None]) -> None:
    name = f"{source.package}=={source.version}"
    out, work = folder / "came", folder / "pip"
    for place in (out, work):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
    # With a hash, pip looks at the archive before it opens it: it asks the archive itself for its dependencies, by
    # running what is in it, also where nobody wants to know.
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{name} --hash=sha256:{source.sha256}\n")
    options = ["--no-deps", f"--no-binary={source.package}", "--no-cache-dir", "--progress-bar=off", "--no-input"]
    words = [*client(), "download", *options, f"--dest={out}", f"--requirement={wanted}"]
    environment = {**os.environ, "TMPDIR": str(work), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "LC_ALL": "C.UTF-8"}
    tell(f"downloading {source.size / 1e6:.0f} MB with pip")
    watching = asyncio.create_task(_watch(source, work, tell))
    try:
        status, log = await talk(words, folder, environment, lambda _line: None)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    if status != 0:
        raise _failure(source, log)
    came = [path for path in out.iterdir() if path.is_file()]
    actual = await asyncio.to_thread(digest, came[0]) if len(came) == 1 else "that of no single file"
    if actual != source.sha256:
        raise _other(source, actual)
    came[0].rename(archive)
    for place in (out, work):
        shutil.rmtree(place)


async def _watch(source: PythonPackage, work: Path, tell: Callable[[str], None]) -> None:
    """Tell how far pip is. It says nothing of use to a program, but the file that it writes grows."""
    last = -1
    while True:
        await asyncio.sleep(TICK)
        arrived = min(_largest(work), source.size)
        if arrived > last:
            last = arrived
            progress = f"downloading {arrived / 1e6:.0f} of {source.size / 1e6:.0f} MB"
            tell(progress if arrived < source.size else "pip looks at what came")


def _largest(work: Path) -> int:
    """Bytes of the largest file in one of pip's own folders."""
    sizes = [0]
    for path in work.glob("*/*"):
        with contextlib.suppress(OSError):  # pip takes them away when it likes
            sizes.append(path.stat().st_size if path.is_file() else 0)
    return max(sizes)


def _failure(source: PythonPackage, log: list[str]) -> BrambleError:
    got = next((match[1] for line in log if (match := re.search(r"\bGot\s+([0-9a-f]{64})\b", line))), "")
    if got:
        return _other(source, got)
    errors = [line.removeprefix("ERROR:").strip() for line in log if line.startswith("ERROR:")]
    return BrambleError(
        f"pip could not fetch {source.package} {source.version}",
        why="\n".join((errors or [line for line in log if line])[-LOG_LINES:]),
        hint="is there a network? A proxy or an index of your own is set by: pip config; without a network: bramble "
        "artifacts import FILE",
    )


def _other(source: PythonPackage, actual: str) -> BrambleError:
    return BrambleError(
        "it is not what it must be, and nothing was touched",
        why=f"the SHA-256 of {source.package} {source.version} is {actual}, and must be {source.sha256}",
        hint="something on the way changes files: look at pip config list, and try from another network",
    )


async def _in_thread(work: Callable[[threading.Event], None]) -> None:
    """Run something long in a thread, which ends before an interrupt goes on: nobody else may be in its folder."""
    stop = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running])
        raise


def _pack(source: PythonPackage, archive: Path, tree: Path, stop: threading.Event) -> None:
    """The tree as a tar, without owners, in the order of the source archive: equal content is an equal file."""
    found: set[str] = set()
    try:
        with tarfile.open(archive, "r|*") as came, tarfile.open(tree, "w", format=tarfile.PAX_FORMAT) as tar:
            for entry in came:
                if stop.is_set():
                    return
                for place, path in _places(source, entry):
                    found.add(place)
                    made = tarfile.TarInfo(path)
                    made.size, made.mtime = entry.size, int(entry.mtime)
                    made.mode = 0o755 if entry.mode & 0o111 else 0o644
                    tar.addfile(made, came.extractfile(entry))
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise BrambleError("its source archive cannot be read", why=str(error)) from None
    except OSError as error:
        hint = f"df -h {tree.parent}"
        raise BrambleError("it cannot be kept here", why=error.strerror or str(error), hint=hint) from None
    missing = [place for place, _ in source.places if place not in found]
    if missing:
        raise BrambleError(f"its source archive does not hold {', '.join(missing)}")


def _places(source: PythonPackage, entry: tarfile.TarInfo) -> Iterator[tuple[str, str]]:
    """Which place a file of the source archive belongs to, and where it goes in the tree; nothing if it stays out."""
    name = entry.name.partition("/")[2]
    if not entry.isreg() or ".." in name.split("/"):
        return
    for place, path in source.places:
        if name == place or name.startswith(f"{place}/"):
            inner = f"{path}{name[len(place) :]}"
            if not any(fnmatch.fnmatchcase(inner, pattern) for pattern in source.without):
                yield place, inner
            return
