"""What services will need: had beforehand, carried as one file, taken in whole or not at all, tidied."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.board import PI
from tests.unit.test_artifacts import GO

from bramble import api, services
from bramble.api.kept import kept
from bramble.artifact import Artifact, Source
from bramble.cli import bramble
from bramble.engine.artifacts import Store, bundle
from bramble.errors import BrambleError, UsageError
from bramble.model import Cluster, Host
from bramble.services.kubernetes import SERVICE
from bramble.services.kubernetes.config import Config

FILES = {"one": b"the first", "two": b"the second", "again": b"the second"}


@dataclasses.dataclass(frozen=True)
class Given(Source):
    """What nobody else can bring again."""


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three artifacts, of which two have the same content."""
    made = Store(tmp_path / "from")
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
        artifact = Artifact(name=f"some/{name}", version="1", architecture="arm64", source=Given())
        made.add(artifact, tmp_path / name)
    return made


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store(tmp_path / "to")


def test_what_is_carried_is_there_what_it_was_here(store: Store, other: Store, tmp_path: Path) -> None:
    bundle.export(store, store.all(), tmp_path / "all.tar")
    assert bundle.take_in(other, tmp_path / "all.tar") == store.all()
    assert other.all() == store.all()
    assert {one.name: other.path(one.sha256).read_bytes() for one in other.all().values()} == {
        f"some/{name}": content for name, content in FILES.items()
    }
    # Once more is no other; and what it is made of has no time in it.
    bundle.take_in(other, tmp_path / "all.tar")
    bundle.export(other, other.all(), tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == (tmp_path / "all.tar").read_bytes()
    with tarfile.open(tmp_path / "all.tar") as tar:
        assert len(tar.getnames()) == 3


def test_a_file_that_is_there_is_not_written_over(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("my thesis")
    with pytest.raises(UsageError, match="is there already"):
        bundle.export(store, store.all(), tmp_path / "mine")
    with pytest.raises(UsageError, match="cannot be written"):
        bundle.export(store, store.all(), tmp_path / "no" / "folder")
    assert (tmp_path / "mine").read_text() == "my thesis"


def test_what_was_damaged_here_is_not_carried(store: Store, tmp_path: Path) -> None:
    store.path(hashed(FILES["one"])).write_bytes(b"the fursT")
    with pytest.raises(BrambleError, match=r"some/one 1 \(arm64\): what is kept of it was damaged"):
        bundle.export(store, store.all(), tmp_path / "all.tar")
    assert not list(tmp_path.glob("all.tar*"))


Entries = list[tuple[tarfile.TarInfo, bytes]]


def changed(file: Path, change: Callable[[Entries], object]) -> None:
    """Write a tar anew, changed; the headers' sizes are those of the contents."""
    with tarfile.open(file) as tar:
        entries = [(entry, getattr(tar.extractfile(entry), "read", bytes)()) for entry in tar]
    change(entries)
    with tarfile.open(file, "w") as tar:
        for entry, content in entries:
            entry.size = len(content) if entry.isreg() else 0
            tar.addfile(entry, io.BytesIO(content))


def index(**changes: Any) -> Callable[[Entries], object]:
    """Change the first artifact of the index."""

    def change(entries: Entries) -> None:
        data = json.loads(entries[0][1])
        next(iter(data["artifacts"].values())).update(changes)
        entries[0] = (entries[0][0], json.dumps(data).encode())

    return change


def text(old: bytes, new: bytes) -> Callable[[Entries], object]:
    """Change the text of the index."""
    return lambda entries: entries.__setitem__(0, (entries[0][0], entries[0][1].replace(old, new, 1)))


def more(name: str, type: bytes = tarfile.REGTYPE) -> Callable[[Entries], object]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = type, "/etc/passwd"
    return lambda entries: entries.append((entry, b"more"))


def named(name: str) -> Callable[[Entries], object]:
    return lambda entries: setattr(entries[1][0], "name", name)


ODD: dict[str, tuple[Callable[[Entries], object], str]] = {
    "content": (lambda e: e.__setitem__(1, (e[1][0], e[1][1][::-1])), "has another hash"),
    "size": (lambda e: e.__setitem__(1, (e[1][0], e[1][1] + b".")), "another size"),
    "missing": (lambda e: e.pop(), "is missing"),
    "climbing": (more("../../../root/.ssh/authorized_keys"), "does not tell of"),
    "absolute": (more("/etc/cron.d/mine"), "does not tell of"),
    "unknown": (more(f"blobs/{'0' * 64}"), "does not tell of"),
    "twice": (lambda e: e.append(e[1]), "does not tell of"),
    "link": (more("link", tarfile.SYMTYPE), "does not tell of"),
    "climbing-name": (index(name="../../x"), "name"),
    "hash": (index(sha256="../../x"), "sha256"),
    "negative": (index(size=-1), "size"),
    "key": (text(b'": {\n   "name', b'x": {\n   "name'), "artifacts"),
    "more-words": (index(run="rm -rf /"), "run"),
    "format": (text(b'"format": 1', b'"format": 2'), "format"),
    "no-index": (lambda e: e.pop(0), "was not written by bramble"),
    "renamed": (named("blobs/../../x"), "does not tell of"),
}


@pytest.mark.parametrize(("change", "words"), ODD.values(), ids=ODD)
def test_of_what_is_odd_nothing_is_taken_in(
    store: Store, other: Store, tmp_path: Path, change: Callable[[Entries], object], words: str
) -> None:
    file = tmp_path / "all.tar"
    bundle.export(store, store.all(), file)
    changed(file, change)
    with pytest.raises(BrambleError) as error:
        bundle.take_in(other, file)
    assert words in f"{error.value.what} {error.value.why}"
    assert not other.all() and not [path for path in other.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("cut", [0, 100, 600, 2000, 3000])
def test_of_what_was_cut_nothing_is_taken_in(store: Store, other: Store, tmp_path: Path, cut: int) -> None:
    file = tmp_path / "all.tar"
    bundle.export(store, store.all(), file)
    with file.open("r+b") as opened:
        opened.truncate(cut)
    with pytest.raises(BrambleError):
        bundle.take_in(other, file)
    assert not other.all()


def test_a_disk_that_is_too_small_is_told_before(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle.export(store, store.all(), tmp_path / "all.tar")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5))
    with pytest.raises(BrambleError, match="too little room"):
        bundle.take_in(other, tmp_path / "all.tar")


def test_what_the_catalogue_pins_is_not_believed_by_a_note(store: Store) -> None:
    """Whoever wrote a file that was taken in may have told of another hash."""
    pinned = Artifact(name="a/b", version="1", architecture="arm64", source=Given(), sha256=hashed(b"the right one"))
    one = next(iter(store.all().values()))
    store.take({pinned.key: one}, {})
    assert store.find(pinned) is None


# The verbs


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folders, and a Go client that plays along."""
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    tool = tmp_path / "bin" / "go"
    tool.parent.mkdir()
    # Programs are called as Go calls them: by the last word of their path that is no version.
    tool.write_text(GO.replace('>"$out/${package##*/}"', '>"$out/$(basename "${package%/v3}")"'))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED_LOG", str(tmp_path / "log"))
    return tmp_path


def cluster_file(user: Path, text: str) -> None:
    folder = user / "config" / "bramble" / "clusters"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "red.yaml").write_text(text)


DEPLOYED = "hosts: red,red[01-02]\nservices:\n  kubernetes: {}\n"


def fetch(*services: str, **wanted: Any) -> set[str]:
    return {one.architecture for one in api.run(api.artifacts_fetch(services, **wanted))}


def test_all_that_a_service_needs_is_fetched(user: Path) -> None:
    found = api.run(api.artifacts_fetch(["kubernetes"], architectures=["amd64"]))
    assert {one.name for one in found} == {one.name for one in SERVICE.artifacts(Config(), ["amd64"])}
    assert {one.architecture for one in found} == {"amd64"}
    assert api.run(api.artifacts_fetch(["slurm"])) == ()


def test_architectures_are_asked_of_the_cluster(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch("kubernetes") == {"arm64"}
    cluster_file(user, DEPLOYED)
    amd64 = dataclasses.replace(PI, architecture="amd64")
    known = {"red": amd64, "red01": PI}
    monkeypatch.setattr("bramble.engine.history.History.facts", lambda *_: known)
    assert fetch("kubernetes") == {"amd64", "arm64"}
    assert fetch("kubernetes", architectures=["armhf"]) == {"armhf"}
    assert fetch("kubernetes", cluster="red") == {"amd64", "arm64"}


@pytest.mark.parametrize(
    ("services", "wanted", "words"),
    [
        (["kubernets"], {}, "kubernets"),
        (["kubernetes", "slurm"], {"options": {"network": "host-gw"}}, "one service"),
        (["kubernetes"], {"options": {"network": "calico"}}, "network"),
        (["kubernetes"], {"architectures": ["arm65"]}, "arm65"),
        (["kubernetes"], {"cluster": "blue"}, "blue"),
    ],
)
def test_mistakes_are_told(user: Path, services: list[str], wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        api.run(api.artifacts_fetch(services, **wanted))


def test_what_no_deployed_service_wants_can_go(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_file(user, DEPLOYED)
    known = dict.fromkeys(("red", "red01", "red02"), PI)
    monkeypatch.setattr("bramble.engine.history.History.facts", lambda *_: known)
    fetch("kubernetes", architectures=["arm64", "amd64"])
    (user / "given").write_bytes(b"somebody's own")
    given = Artifact(name="images/app", version="1", architecture="arm64", source=Given())
    kept().add(given, user / "given")
    listed = {(one.name, one.architecture): one.wanted_by for one in api.run(api.artifacts_list())}
    assert listed["kubernetes/etcd", "arm64"] == ("kubernetes on red",)
    assert listed["kubernetes/etcd", "amd64"] == ()
    assert api.run(api.artifacts_clean(unused=True)) > 0
    left = {(one.name, one.architecture) for one in api.run(api.artifacts_list())}
    assert ("kubernetes/etcd", "arm64") in left and ("images/app", "arm64") in left
    assert "amd64" not in {architecture for _, architecture in left}
    # Of hosts that nothing is known of, nobody can say what they want.
    fetch("kubernetes", architectures=["amd64"])
    del known["red02"]
    assert api.run(api.artifacts_clean(unused=True)) == 0


def test_a_classroom_without_a_network(
    user: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*words: str) -> str:
        assert bramble.main(["artifacts", *words], standalone_mode=False) == 0
        return capsys.readouterr().out

    file = str(user / "class.tar")
    with pytest.raises(UsageError, match="nothing of containerd, kubernetes is kept"):
        said("export", file, "kubernetes")
    assert "are here; bramble artifacts export FILE kubernetes" in said("fetch", "kubernetes")
    assert "artifacts import" in said("export", file, "kubernetes")
    monkeypatch.setenv("XDG_CACHE_HOME", str(user / "there"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert "are here now" in said("import", file)
    assert "are here" in said("fetch", "kubernetes")
    assert "kubernetes/kubelet" in said("list")


def test_a_plan_brings_what_its_service_says_it_may() -> None:
    """So that what is fetched beforehand is enough; for every room."""
    cluster = Cluster(name="red", hosts=(Host(name="red"), Host(name="red01")), manager="red")
    able = dataclasses.replace(PI, controllers=("cpu", "memory", "pids"), address="10.1.1.1")
    facts = {"red": able, "red01": dataclasses.replace(able, architecture="amd64", address="10.1.1.2")}
    for name in services.names():
        room = services.get(name)
        try:
            config = services.configure(room, {})
            plan = room.plan(cluster, config, facts)
        except BrambleError:
            continue  # it needs more than this to make a plan
        assert set(plan.artifacts) <= set(room.artifacts(config, ["arm64", "amd64"])), name


def test_a_store_lists_what_it_was_told(store: Store) -> None:
    assert [one.name for one in store.all().values()] == ["some/again", "some/one", "some/two"]
    assert {one.source for one in store.all().values()} == {"given"}
