"""Trees of packages of the Python index: what pip brought is believed by its hash, and packed the same each time."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import os
import shutil
import tarfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from bramble.artifact import Artifact, PythonPackage
from bramble.engine.artifacts import Fetcher, Store, python
from bramble.errors import BrambleError

#: Plays pip: notes what it was asked, and "fetches" what lies there for it.
PIP = """#!/bin/sh
echo "$*" >>"$PLAYED/log"
for word in "$@"; do
  case $word in --dest=*) out=${word#--dest=};; --requirement=*) cat "${word#*=}" >>"$PLAYED/log";; esac
done
[ ! -e "$PLAYED/fault" ] || { cat "$PLAYED/fault"; exit 1; }
mkdir "$TMPDIR/pip-unpack"; cp "$PLAYED/source.tar.gz" "$TMPDIR/pip-unpack"
[ ! -e "$PLAYED/slow" ] || { touch "$PLAYED/begun"; exec sleep 60; }
cp "$PLAYED/source.tar.gz" "$out/made-1.0.tar.gz"
"""


def source_archive(**texts: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in texts.items():
            entry = tarfile.TarInfo(f"made-1.0/{name.replace('__', '/')}")
            entry.size, entry.mode, entry.mtime, entry.uid = len(text), 0o755 if "run" in name else 0o644, 1e9, 1000
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


CONTENT = source_archive(
    deps__bin__run="runs", deps__bin__run_cmd="no", deps__jars__a="library", setup="x", LICENSE="l"
)
SOURCE = PythonPackage(
    package="made",
    version="1.0",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
    unpacked=100_000,
    places=(("deps/bin", "bin"), ("deps/jars", "jars"), ("LICENSE", "LICENSE")),
    without=("*_cmd",),
)


def artifact(**changes: Any) -> Artifact:
    source = dataclasses.replace(SOURCE, **changes)
    return Artifact(name="one/tree", version="1.0", architecture="all", source=source)


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a pip that plays along."""
    folder = tmp_path / "played"
    folder.mkdir()
    tool = folder / "pip"
    tool.write_text(PIP)
    tool.chmod(0o755)
    (folder / "source.tar.gz").write_bytes(CONTENT)
    monkeypatch.setenv("PLAYED", str(folder))
    monkeypatch.setattr(python, "client", lambda: [str(tool)])
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def fetch(store: Store, wanted: Artifact, told: list[str] | None = None) -> Path:
    heard = [] if told is None else told
    (found,) = asyncio.run(Fetcher(store, lambda _, text: heard.append(text)).fetch([wanted])).values()
    return store.path(found.sha256)


def leftovers(store: Store) -> list[str]:
    return [path.name for path in (store.folder / "work").rglob("*") if path.is_file()]


def test_it_holds_what_is_wanted_where_it_is_wanted(store: Store, pip: Path) -> None:
    with tarfile.open(fetch(store, artifact())) as tar:
        found = {entry.name: (entry.mode, entry.uid, entry.mtime) for entry in tar}
    assert found == {"bin/run": (0o755, 0, 1e9), "jars/a": (0o644, 0, 1e9), "LICENSE": (0o644, 0, 1e9)}
    asked = (pip / "log").read_text()
    assert "--no-deps" in asked and f"made==1.0 --hash=sha256:{SOURCE.sha256}" in asked
    assert leftovers(store) == []


def test_it_is_fetched_once_and_the_same_each_time(store: Store, pip: Path, tmp_path: Path) -> None:
    first = fetch(store, artifact())
    assert fetch(store, artifact()) == first and (pip / "log").read_text().count("download ") == 1
    assert fetch(Store(tmp_path / "other"), artifact()).read_bytes() == first.read_bytes()


def test_another_content_is_not_believed_even_where_pip_does(store: Store, pip: Path) -> None:
    (pip / "source.tar.gz").write_bytes(source_archive(evil="evil"))
    with pytest.raises(BrambleError, match=r"one/tree 1\.0 .*not what it must be") as caught:
        fetch(store, artifact())
    assert SOURCE.sha256 in caught.value.why and not store.all() and leftovers(store) == []


def test_what_pip_says_of_another_hash_is_told_as_such(store: Store, pip: Path) -> None:
    (pip / "fault").write_text(f"ERROR: THESE PACKAGES DO NOT MATCH\n  Expected sha256 a\n    Got        {'b' * 64}\n")
    with pytest.raises(BrambleError, match="not what it must be") as caught:
        fetch(store, artifact())
    assert "b" * 64 in caught.value.why


def test_what_pip_says_is_told(store: Store, pip: Path) -> None:
    (pip / "fault").write_text("Looking\nERROR: No matching distribution found for made==1.0\n")
    with pytest.raises(BrambleError, match=r"pip could not fetch made 1\.0") as caught:
        fetch(store, artifact())
    assert caught.value.why == "No matching distribution found for made==1.0" and "network" in caught.value.hint


def test_a_place_that_is_not_in_it_is_told(store: Store, pip: Path) -> None:
    with pytest.raises(BrambleError, match="does not hold deps/sbin"):
        fetch(store, artifact(places=(("deps/sbin", "sbin"),)))


def test_a_disk_that_is_too_small_is_told_before(store: Store, pip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 100_000))
    with pytest.raises(BrambleError, match="too little room on this machine"):
        fetch(store, artifact())
    assert not (pip / "log").exists()


def test_an_interrupt_ends_pip_and_leaves_nothing_half(store: Store, pip: Path) -> None:
    (pip / "slow").touch()

    async def interrupted() -> None:
        fetching = asyncio.create_task(Fetcher(store, lambda *_: None).fetch([artifact()]))
        while not (pip / "begun").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        fetching.cancel()
        await asyncio.wait([fetching])
        assert fetching.cancelled()

    asyncio.run(interrupted())
    assert leftovers(store) == [] and not store.all()
    (pip / "slow").unlink()
    assert fetch(store, artifact()).exists()


def test_an_archive_that_came_whole_is_not_fetched_again(store: Store, pip: Path) -> None:
    (store.workshop(artifact()) / "source.part").write_bytes(CONTENT)
    assert fetch(store, artifact()).exists() and not (pip / "log").exists()
    other = dataclasses.replace(artifact(), version="1.1")
    (store.workshop(other) / "source.part").write_bytes(b"damaged")
    assert fetch(store, other).exists() and (pip / "log").exists()


def test_there_is_a_pip_or_a_word_on_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(BrambleError, match="there is no pip") as caught:
        python.client()
    assert "python3-pip" in caught.value.hint


def test_a_hash_that_is_none_is_the_catalogue_s_mistake() -> None:
    with pytest.raises(ValueError, match="not the hash"):
        dataclasses.replace(SOURCE, sha256="beef")
