"""Files on their way: what is found, where it is put, what is refused, and both ends together on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bramble import api
from bramble.connection import LocalConnection
from bramble.engine import copying
from bramble.errors import HostError, StepFailed, UsageError
from bramble.model import Host
from bramble.runner.copying.found import Entry, find
from bramble.runner.copying.placer import LEFT, UNFINISHED, Placer, settle
from bramble.runner.step import StepError

ODD = ("with space", "new\nline", "-rf", "über", "quote'\"", os.fsdecode(b"bad\xff"))


def quiet(_done: int, _whole: int) -> None:
    """Nobody watches."""


@pytest.fixture(autouse=True)
def home() -> None:
    """Nothing here looks for one; and the folder of a test is empty."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with files of odd names and permissions, folders, and links that lead out of it."""
    top = tmp_path / "here" / "tree"
    (top / "shut" / "deep").mkdir(parents=True)
    for name in ODD:
        (top / name).write_text(name, errors="surrogateescape")
    (top / "shut" / "deep" / "file").write_bytes(b"\0" * 700_000)
    (top / "script").write_text("#!/bin/sh\n")
    os.utime(top / "script", ns=(10**18, 10**18))
    (top / "out").symlink_to("/etc/passwd")
    (top / "dangling").symlink_to("nowhere")
    (top / "script").chmod(0o4755)
    (top / "shut").chmod(0o500)
    return top


@pytest.fixture
async def here() -> AsyncIterator[LocalConnection]:
    async with LocalConnection(Host(name="here")) as connection:
        yield connection


def shape(top: Path) -> dict[str, Any]:
    """What lies there: kinds, permissions, contents, times of files."""
    found = {}
    for path in sorted(top.rglob("*")):
        about = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        mode = 0 if path.is_symlink() else stat.S_IMODE(about.st_mode) & 0o777
        found[str(path.relative_to(top))] = (mode, content, about.st_mtime_ns if isinstance(content, bytes) else 0)
    return found


async def put(here: LocalConnection, to: Path | str, *paths: Path, **options: Any) -> copying.Placed:
    found, _ = copying.gather([str(path) for path in paths])
    return await copying.place(here, found, str(to), tell=quiet, **options)


# Both ends


async def test_a_folder_comes_as_it_is_and_only_once(tree: Path, tmp_path: Path, here: LocalConnection) -> None:
    first = await put(here, tmp_path / "there" / "new", tree)
    assert shape(tmp_path / "there" / "new") == shape(tree)
    assert (first.changed, first.unchanged) == (13, 0)
    again = await put(here, tmp_path / "there" / "new", tree)
    assert (again.changed, again.unchanged, again.size) == (0, 13, 0)
    (tmp_path / "there" / "new" / "script").write_text("other")
    (tmp_path / "there" / "new" / "-rf").chmod(0o600)
    (tmp_path / "there" / "new" / "mine").write_text("stays")
    third = await put(here, tmp_path / "there" / "new", tree)
    assert (third.changed, third.size) == (2, len("#!/bin/sh\n"))
    assert (tmp_path / "there" / "new" / "mine").read_text() == "stays"
    assert (tmp_path / "there" / "new" / "script").stat().st_mtime_ns == 10**18


async def test_a_folder_is_fetched_as_it_is(tree: Path, tmp_path: Path, here: LocalConnection) -> None:
    os.mkfifo(tree / "pipe")
    got = await copying.fetch(here, [str(tree)], tmp_path / "got" / "a", tell=quiet)
    assert got.left_out == (str(tree / "pipe"),)
    (tree / "pipe").unlink()
    (tree / "shut").chmod(0o700)  # one that nobody could write into would stand in the way of the next time
    assert shape(tmp_path / "got" / "a" / "tree") == shape(tree)
    same = await copying.fetch(here, [str(tree)], tmp_path / "got" / "b", tell=quiet)
    assert (same.digest, same.files, same.size) == (got.digest, 8, got.size)
    (tree / "script").write_text("#!/bin/bash\n")
    assert (await copying.fetch(here, [str(tree)], tmp_path / "got" / "b", tell=quiet)).digest != got.digest


@pytest.mark.parametrize(
    ("names", "to", "there"),
    [
        (["a"], "new/", ["new/a"]),
        (["a"], "new", ["new"]),
        (["a"], "deep/er/new", ["deep/er/new"]),
        (["a", "b"], "new", ["new/a", "new/b"]),
        (["a"], "is", ["is/a"]),
        (["folder"], "is", ["is/inside"]),
        (["folder"], "is/", ["is/folder/inside"]),
        (["folder"], "new", ["new/inside"]),
    ],
)
async def test_where_it_goes(
    names: list[str], to: str, there: list[str], tmp_path: Path, here: LocalConnection
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "host" / "is").mkdir(parents=True)
    for name in ("a", "b", "folder/inside"):
        (tmp_path / name).write_text(name)
    await put(here, f"{tmp_path}/host/{to}", *(tmp_path / name for name in names))
    found = [str(path.relative_to(tmp_path / "host")) for path in (tmp_path / "host").rglob("*") if path.is_file()]
    assert sorted(found) == there


async def test_owner_and_permissions(tmp_path: Path, here: LocalConnection) -> None:
    (tmp_path / "a").write_text("a")
    await put(here, tmp_path / "b", tmp_path / "a", mode="640")
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o640
    with pytest.raises(StepFailed, match="there is no nobody-there on this host"):
        await put(here, tmp_path / "c", tmp_path / "a", owner="nobody-there")
    assert not (tmp_path / "c").exists()


async def test_what_is_in_the_way(tmp_path: Path, here: LocalConnection) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("x")
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "folder").write_text("a file")
    with pytest.raises(StepFailed, match="is there already, and is no folder"):
        await put(here, f"{tmp_path}/host/", tmp_path / "folder")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "mine").write_text("stays")
    with pytest.raises(StepFailed, match="is a folder already"):
        await put(here, f"{tmp_path}/", tmp_path / "folder" / "inside")
    assert (tmp_path / "inside" / "mine").exists()


async def test_a_file_that_changes_meanwhile_is_not_taken(tmp_path: Path, here: LocalConnection) -> None:
    (tmp_path / "a").write_text("before")
    found, _ = copying.gather([str(tmp_path / "a")])
    (tmp_path / "a").write_text("after!")
    with pytest.raises(StepFailed, match="did not arrive as it was sent"):
        await copying.place(here, found, f"{tmp_path}/there/", tell=quiet)
    assert list((tmp_path / "there").iterdir()) == []
    (tmp_path / "a").unlink()
    with pytest.raises(StepFailed, match=r"here: .*/a cannot be"):
        await copying.place(here, found, f"{tmp_path}/there/", tell=quiet)


async def test_what_is_not_there(tmp_path: Path, here: LocalConnection) -> None:
    with pytest.raises(HostError, match=r"nowhere cannot be read: No such file"):
        await copying.fetch(here, [str(tmp_path / "nowhere")], tmp_path / "got", tell=quiet)
    with pytest.raises(UsageError, match="nowhere cannot be read"):
        copying.gather([str(tmp_path / "nowhere")])
    with pytest.raises(UsageError, match="both called a"):
        copying.gather(["/tmp/a", "/var/a"])


async def test_a_copy_that_is_broken_off_leaves_nothing(tmp_path: Path, here: LocalConnection) -> None:
    (tmp_path / "large").write_bytes(os.urandom(20_000_000))
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "large").write_text("the old one")
    found, _ = copying.gather([str(tmp_path / "large")])
    begun = asyncio.Event()

    def tell(done: int, _whole: int) -> None:
        if done > 5_000_000:
            begun.set()

    task = asyncio.create_task(copying.place(here, found, f"{tmp_path}/there/", tell=tell))
    await begun.wait()
    assert [path.name for path in (tmp_path / "there").iterdir() if path.name.startswith(UNFINISHED)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(200):  # the other end learns of it in its own time
        if len(list((tmp_path / "there").iterdir())) == 1:
            break
        await asyncio.sleep(0.05)
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["large"]
    assert (tmp_path / "there" / "large").read_text() == "the old one"


async def test_how_far_it_is(tmp_path: Path, here: LocalConnection) -> None:
    (tmp_path / "a").write_bytes(b"x" * 600_000)
    told: list[tuple[int, int]] = []
    found, _ = copying.gather([str(tmp_path / "a")])
    await copying.place(here, found, str(tmp_path / "b"), tell=lambda done, whole: told.append((done, whole)))
    assert told[-1] == (600_000, 600_000) and len(told) == 3


# One end


def place_all(placer: Placer, entries: list[Entry], content: bytes = b"bad") -> None:
    for number in placer.lacking(entries):
        placer.begin(entries[number])
        placer.write(content)
        placer.end(hashlib.sha256(content).digest())
    placer.finish()
    placer.close()


@pytest.mark.parametrize("path", ["../out", "/etc/out", "a/../../out", "a//b", "", ".", "a/./b", "a\0b"])
def test_no_path_leads_out(path: str, tmp_path: Path) -> None:
    """What a host sends is not believed."""
    with pytest.raises(StepError, match="leads out of"):
        place_all(Placer(str(tmp_path / "in")), [Entry(path=path, kind="file")])
    assert [str(found.relative_to(tmp_path)) for found in tmp_path.rglob("*")] == ["in"]


def test_no_link_leads_out(tmp_path: Path) -> None:
    """Neither one that was there nor one that came before in the same copy."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "trap").symlink_to(tmp_path / "outside")
    with pytest.raises(StepError, match="is not gone into"):
        place_all(Placer(str(tmp_path / "in")), [Entry(path="trap/file", kind="file")])
    with pytest.raises(StepError, match="is there already, and is no folder"):
        place_all(Placer(str(tmp_path / "in")), [Entry(path="trap", kind="folder")])
    sent = [Entry(path="new", kind="link", target=str(tmp_path / "outside")), Entry(path="new/file", kind="file")]
    with pytest.raises(StepError, match="is not gone into"):
        place_all(Placer(str(tmp_path / "in")), sent)
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_link_of_that_name_is_replaced_and_what_it_means_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("stays")
    (tmp_path / "name").symlink_to("target")
    place_all(Placer(str(tmp_path)), [Entry(path="name", kind="file", mode=0o600)])
    assert (tmp_path / "target").read_text() == "stays"
    assert (tmp_path / "name").read_bytes() == b"bad" and not (tmp_path / "name").is_symlink()


def test_what_was_cut_off_is_cleared_away(tmp_path: Path) -> None:
    """But not what another copy is writing, nor what is called alike and just begun."""
    old = time.time() - 2 * LEFT
    for name in ("old", "young"):
        (tmp_path / f"{UNFINISHED}{name}").write_text("half")
    os.utime(tmp_path / f"{UNFINISHED}old", (old, old))
    other = Placer(str(tmp_path))
    other.begin(Entry(path="other", kind="file"))
    for path in tmp_path.glob(f"{UNFINISHED}*"):
        if path.name not in (f"{UNFINISHED}young",):
            os.utime(path, (old, old))
    place_all(Placer(str(tmp_path)), [Entry(path="a", kind="file")])
    left = {path.name.removeprefix(UNFINISHED) for path in tmp_path.glob(f"{UNFINISHED}*")}
    assert "old" not in left and "young" in left and len(left) == 2
    other.write(b"x")
    other.end(hashlib.sha256(b"x").digest())
    other.close()
    assert (tmp_path / "other").read_text() == "x"


def test_a_hash_that_was_promised_counts(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="did not arrive"):
        place_all(Placer(str(tmp_path)), [Entry(path="a", kind="file", sha256="0" * 64)])


def test_settling_depends_on_nothing_else(tmp_path: Path) -> None:
    file, folder = Entry(path="a", kind="file"), Entry(path="f", kind="folder")
    inside = Entry(path="f/a", kind="file")
    assert settle(f"{tmp_path}/x", [file])[0] == str(tmp_path)
    assert settle(f"{tmp_path}/x/", [file])[0] == f"{tmp_path}/x"
    assert [entry.path for entry in settle(f"{tmp_path}/x", [folder, inside])[1]] == ["x", "x/a"]


def test_entries_survive_json(tmp_path: Path) -> None:
    for name in ODD:
        (tmp_path / name).write_text("x")
    found, _ = find([str(tmp_path)], hashed=True)
    back = [Entry(**json.loads(json.dumps(vars(one.entry)))) for one in found]
    assert back == [one.entry for one in found]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"owner": "pi"}, "only root"), ({"mode": "rw"}, "no permissions in octal"), ({"files": []}, "nothing to copy")],
)
async def test_options_that_do_not_fit(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        await api.copy(**{"files": ["/etc/hostname"], "hosts": "red", **options})
