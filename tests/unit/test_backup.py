"""Backups: the file, what a host hands over and takes in, and which backup fits which service. No host is contacted."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.test_kubernetes import CLUSTER, FACTS

from bramble import api, inventory, services
from bramble.engine.backup import Origin, read, write
from bramble.errors import BrambleError, UsageError
from bramble.runner import backup as host
from bramble.runner.step import StepError
from bramble.services.kubernetes import SERVICE, programs

VERSION = programs.VERSIONS[-1]
KEYS = {"kubernetes/ca.key": b"key", "kubernetes/at-rest": b"rest"}


def origin(**changes: Any) -> Origin:
    facts = {"made": "2026-11-21T10:15:00Z", "cluster": "red", "service": "kubernetes", "manager": "red"}
    place = {"address": "10.1.1.1", "hosts": "red,red[01-02]", "options": {"version": VERSION}}
    return Origin.model_validate({**facts, **place, **changes})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    content = tmp_path / "content"
    content.write_bytes(b"all that it knows")
    write(tmp_path / "red.backup", origin(), KEYS, content)
    return tmp_path / "red.backup"


def test_what_was_written_is_read_and_only_its_owner_can(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with read(file) as kept:
        assert (kept.origin, kept.secrets) == (origin(), KEYS)
        assert kept.content.read_bytes() == b"all that it knows"
        assert "rest" not in repr(kept)
    assert not kept.content.exists()


def test_a_file_that_is_there_stays(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(UsageError, match="there already"):
        write(file, origin(), {}, file)
    assert file.read_bytes() == before


def test_no_backup_and_half_a_backup_are_told(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    for content in (b"", b"rubbish", whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(BrambleError), read(file):
            pass
    with pytest.raises(UsageError, match="No such file"), read(tmp_path / "none"):
        pass


def _packed(file: Path, *members: tuple[str, bytes]) -> None:
    with tarfile.open(file, "w:gz") as tar:
        for name, value in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(value)
            tar.addfile(entry, io.BytesIO(value))


@pytest.mark.parametrize("change", ["more", "less", "other"])
def test_what_the_index_does_not_tell_of_is_not_believed(file: Path, change: str) -> None:
    with tarfile.open(file) as tar:
        members = [(one.name, tar.extractfile(one).read()) for one in tar]  # type: ignore[union-attr]
    if change == "more":
        members.append(("kubernetes/../../evil", b"x"))
    elif change == "less":
        members.pop()
    else:
        members[1] = (members[1][0], b"other")
    _packed(file, *members)
    with pytest.raises(BrambleError, match="not as it was written"), read(file):
        pass


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """bramble's folder on a host."""
    folder = tmp_path / "var"
    folder.mkdir()
    monkeypatch.setattr(host, "FOLDER", str(folder))
    return folder


def test_a_host_hands_over_and_takes_in(var: Path) -> None:
    packed = io.BytesIO()
    host.take(["sh", "-c", "echo known >$0/etcd.db"], packed)
    assert list(var.iterdir()) == []
    laid = var / "restore"
    host.lay(io.BytesIO(packed.getvalue()), packed.tell(), str(laid))
    assert (laid / "etcd.db").read_text() == "known\n"
    assert [stat.S_IMODE(os.stat(one).st_mode) for one in (laid, laid / "etcd.db")] == [0o700, 0o600]
    with pytest.raises(StepError, match="not arrive whole"):
        host.lay(io.BytesIO(packed.getvalue()[:-1]), packed.tell(), str(laid))
    assert list(laid.iterdir()) == []


def test_a_host_that_has_nothing_to_hand_over_says_why(var: Path) -> None:
    with pytest.raises(StepError, match="could not be had") as caught:
        host.take(["sh", "-c", "echo etcd is away >&2; exit 1"], io.BytesIO())
    assert "etcd is away" in (caught.value.why or "")
    assert list(var.iterdir()) == []


def test_nothing_is_laid_outside_its_folder(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../evil"))
    with pytest.raises(StepError, match="no plain file"):
        host.lay(io.BytesIO(packed.getvalue()), len(packed.getvalue()), str(tmp_path / "restore"))
    assert not (tmp_path / "evil").exists()


def _recorded(home: Path, entry: str) -> None:
    folder = home / ".config" / "bramble" / "clusters"
    folder.mkdir(parents=True)
    (folder / "red.yaml").write_text(f'hosts: "red,red[01-02]"\nservices:\n{entry}')


def _refused(verb: str, *words: str, **options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        api.run(getattr(api, verb)(*words, cluster="red", **options))
    return caught.value


def test_a_backup_that_does_not_fit_is_refused(home: Path, file: Path) -> None:
    _recorded(home, f"  kubernetes: {{version: {programs.VERSIONS[0]}}}\n  slurm: {{}}\n")
    assert programs.VERSIONS[0] in _refused("restore", "kubernetes", str(file)).what
    assert "there are of kubernetes" in _refused("restore", "slurm", str(file)).hint


def test_a_backup_with_other_keys_is_refused(home: Path, file: Path) -> None:
    _recorded(home, f"  kubernetes: {{version: {VERSION}}}\n")
    folder = inventory.folders.secrets("red") / "kubernetes"
    folder.mkdir(parents=True)
    for name in ("ca.key", "at-rest"):
        (folder / name).write_bytes(b"another")
    error = _refused("restore", "kubernetes", str(file))
    assert "keys" in error.what and "bramble remove kubernetes" in error.hint


def test_a_place_that_cannot_be_written_to_is_told_first(home: Path, file: Path, tmp_path: Path) -> None:
    _recorded(home, f"  kubernetes: {{version: {VERSION}}}\n")
    assert "there already" in _refused("backup", "kubernetes", to=str(file)).what
    assert "mkdir" in _refused("backup", "kubernetes", to=str(tmp_path / "none" / "red.backup")).hint


def test_what_is_not_deployed_has_no_backup(home: Path) -> None:
    _recorded(home, "  slurm: {}\n")
    assert "bramble deploy kubernetes" in _refused("backup", "kubernetes").hint


@pytest.mark.parametrize("way", ["restore", "anew"])
def test_plan_is_as_it_was(way: str, snapshot: SnapshotAssertion) -> None:
    assert SERVICE.backup
    config = services.configure(SERVICE, {"version": VERSION, "control_plane": "3"})
    plan = getattr(SERVICE.backup, way)(CLUSTER, config, FACTS)
    deployed = {part.title for part in SERVICE.plan(CLUSTER, config, FACTS).groups}
    told = plan.to_json()
    # What it shares with the deployment has a snapshot there.
    told["groups"] = [part for part in told["groups"] if part["title"] not in deployed]
    assert json.dumps(told["groups"], indent=1, ensure_ascii=False) == snapshot
    if way == "anew":
        titles = [part.title for part in plan.groups]
        at = titles.index("Control plane")
        assert (titles[at - 1], titles[at + 1]) == ("Snapshot", "Nodes that are to join")
