"""Artifacts on the controller: kept by their hashes, built once, and not believed when they are something else."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any, cast

import pytest

from bramble.api.kept import kept
from bramble.artifact import Artifact, GoProgram
from bramble.cli import bramble
from bramble.engine.artifacts import Fetcher, Store, Stored
from bramble.engine.artifacts.golang import client, name_of
from bramble.engine.artifacts.handing import SPARE, Handing
from bramble.engine.artifacts.steps import room_of
from bramble.errors import BrambleError, HostError
from bramble.runner.steps import Tree

#: Plays the Go client: notes what it was asked, and "builds" a program for each package.
GO = """#!/bin/sh
if [ "$1" = env ]; then echo "${PLAYED_VERSION:-go1.26.8}"; exit; fi
echo "$GOARCH $GOARM $CGO_ENABLED $*" >>"$PLAYED_LOG"
[ -z "$PLAYED_FAULT" ] || { echo "$PLAYED_FAULT" >&2; exit 1; }
while [ "$1" != -o ]; do shift; done
out=$2; shift 2
for package in "$@"; do echo "$package for $GOARCH, with $(cat go.mod)" >"$out/${package##*/}"; done
"""


def program(name: str, architecture: str = "arm64", **changes: Any) -> Artifact:
    source = GoProgram(files=(("go.mod", "module bramble.invalid/m"),), package=f"bramble.invalid/m/{name}")
    source = dataclasses.replace(source, **changes)
    return Artifact(name=f"one/{name}", version="1", architecture=architecture, source=source)


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a Go client that plays along."""
    tool = tmp_path / "bin" / "go"
    tool.parent.mkdir()
    tool.write_text(GO)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def fetched(store: Store, *artifacts: Artifact) -> dict[str, str]:
    """What each artifact holds once it has been fetched."""
    found = asyncio.run(Fetcher(store, lambda *_: None).fetch(artifacts))
    return {id: store.path(one.sha256).read_text().strip() for id, one in found.items()}


def test_programs_of_one_module_are_built_in_one_go_and_once(store: Store, go: Path) -> None:
    wanted = (program("a"), program("b"), program("a", "armhf"))
    assert fetched(store, *wanted) == {
        "one/a:arm64": "bramble.invalid/m/a for arm64, with module bramble.invalid/m",
        "one/b:arm64": "bramble.invalid/m/b for arm64, with module bramble.invalid/m",
        "one/a:armhf": "bramble.invalid/m/a for arm, with module bramble.invalid/m",
    }
    asked = go.read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["arm64", "arm"]
    assert fetched(store, *wanted) and go.read_text().splitlines() == asked


def test_another_text_is_another_program(store: Store, go: Path) -> None:
    fetched(store, program("a"))
    changed = fetched(store, program("a", files=(("go.mod", "module bramble.invalid/other"),)))
    assert changed["one/a:arm64"].endswith("module bramble.invalid/other")


def test_c_is_asked_for_only_where_it_is_needed(store: Store, go: Path) -> None:
    fetched(store, program("a"), program("b", static_c=True))
    plain, with_c = go.read_text().splitlines()
    assert " 0 build" in plain and "-static" not in plain
    assert " 1 build" in with_c and "-extldflags -static" in with_c


def test_variables_are_set_when_it_is_linked(store: Store, go: Path) -> None:
    fetched(store, program("a", variables=(("x.version", "v1"),)))
    assert "-X x.version=v1" in go.read_text()


def test_what_go_said_is_told(store: Store, go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYED_FAULT", "no space left on device")
    with pytest.raises(BrambleError) as error:
        fetched(store, program("a"))
    assert "one/a 1 (arm64)" in error.value.what and "no space left" in error.value.why
    assert not list((store.folder / "work").iterdir())


def test_a_go_that_is_too_old_is_told(store: Store, go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYED_VERSION", "go1.19.8")
    monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    with pytest.raises(BrambleError, match=r"Go 1\.19\.8 is too old"):
        fetched(store, program("a"))


def test_without_go_it_says_where_to_get_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    with pytest.raises(BrambleError) as error:
        fetched(store, program("a"))
    assert "no Go" in error.value.what and "go.dev" in error.value.hint


def test_something_else_is_not_kept(store: Store, go: Path) -> None:
    wrong = dataclasses.replace(program("a"), sha256=hashlib.sha256(b"the right one").hexdigest())
    with pytest.raises(BrambleError, match="not what it must be"):
        fetched(store, wrong)
    assert store.find(wrong) is None and not list(store.all())


def test_a_file_that_was_cut_short_is_fetched_again(store: Store, go: Path) -> None:
    fetched(store, program("a"))
    (one,) = store.all().values()
    store.path(one.sha256).write_text("")
    assert store.find(program("a")) is None
    assert fetched(store, program("a"))["one/a:arm64"].startswith("bramble.invalid/m/a")


def test_a_file_that_was_changed_since_is_refused_with_both_hashes(store: Store, go: Path) -> None:
    fetched(store, program("a"), program("b"))
    kept = store.find(program("a"))
    assert kept
    file, before = store.path(kept.sha256), store.path(kept.sha256).read_bytes()
    file.write_bytes(before[:-2] + b"X\n")
    os.utime(file, ns=(0, 0))  # as if nobody had written to it
    with pytest.raises(BrambleError) as refused:
        fetched(store, program("b"), program("a"))
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    assert f"of {file} is {found}, and must be {kept.sha256}" in refused.value.why
    assert f"rm {file}" in refused.value.hint

    # Put back it is believed again, and not read once more; taken away it is built again.
    file.write_bytes(before)
    fetched(store, program("a"))
    assert file.stat().st_ctime_ns <= (store.folder / "index" / program("a").key).stat().st_mtime_ns
    file.unlink()
    assert fetched(store, program("a")) and file.read_bytes() == before


def test_cleaned_nothing_is_left(store: Store, go: Path) -> None:
    fetched(store, program("a"), program("b"))
    size = sum(one.size for one in store.all().values())
    assert store.clean() == size > 0
    assert not list(store.all()) and not store.folder.exists()


def test_the_go_beside_bramble_does_where_the_system_has_an_old_one(
    store: Store, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "go" / "bin" / "go"
    own.parent.mkdir(parents=True)
    own.write_text(GO.replace("go1.26.8", "go1.27.3").replace("PLAYED_VERSION", "OTHER"))
    own.chmod(0o755)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PLAYED_VERSION", "go1.19.8")
    assert asyncio.run(client()) == str(own)
    assert fetched(store, program("a"))


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        ("go.etcd.io/etcd/server/v3", "server"),
        ("github.com/flannel-io/flannel", "flannel"),
    ],
)
def test_a_program_is_called_as_go_calls_it(package: str, name: str) -> None:
    assert name_of(package) == name


def test_what_is_kept_is_listed_and_can_be_taken_away(
    go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def said(*words: str) -> str:
        assert bramble.main(["artifacts", *words], standalone_mode=False) == 0
        return capsys.readouterr().out

    assert "nothing is kept" in said()
    fetched(kept(), program("a"), program("b", "amd64"))
    assert [line.split()[:3] for line in said().splitlines()[1:3]] == [["one/a", "1", "arm64"], ["one/b", "1", "amd64"]]
    assert '"architecture":"amd64"' in said("list", "--json")
    assert "free again" in said("clean")
    assert "nothing is kept" in said("list")


@pytest.mark.parametrize(("free", "enough"), [(2 * 10**9 + SPARE, True), (2 * 10**9 + SPARE - 1, False)])
def test_a_host_needs_room_for_an_archive_and_for_what_is_in_it(store: Store, free: int, enough: bool) -> None:
    class Played:
        async def look(self, wanted: list[Stored]) -> tuple[dict[str, int], int, list[str]]:
            return {one.sha256: 0 for one in wanted}, free, []

    one = Stored(name="one/tree", version="1", architecture="all", sha256="0" * 64, size=10**9)
    step = Tree(artifact="one/tree:all", path="/opt/one", sha256=one.sha256, size=one.size)
    handing = Handing(store, {}, lambda *_: None, lambda _: None)
    looking = handing._require_space("red", cast(Any, Played()), {one: room_of(step)})
    if enough:
        asyncio.run(looking)
    else:
        with pytest.raises(HostError, match="1000 MB are to be brought") as caught:
            asyncio.run(looking)
        assert "another 1000 MB are needed to unpack it" in caught.value.why
