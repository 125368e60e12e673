"""A file that was brought is put in its place, left where somebody else's is, and taken away again."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest

from bramble.runner import transfer
from bramble.runner.step import Change, Record, StepError
from bramble.runner.steps import Artifact
from bramble.runner.system import System

CONTENT = b"a program"
SHA = hashlib.sha256(CONTENT).hexdigest()
STEP = Artifact(artifact="one/a:arm64", path="/bin/a", sha256=SHA, size=len(CONTENT))
RESOURCE = "Artifact /bin/a"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """A host to which the program was brought."""
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / SHA).write_bytes(CONTENT)
    (tmp_path / "root" / "bin").mkdir(parents=True)
    monkeypatch.setattr(transfer, "place", lambda sha256: str(brought / sha256))
    monkeypatch.setattr(os, "chown", lambda *_: None)  # not everybody who runs this is root
    return System(str(tmp_path / "root"))


def carried_out(system: System, step: Artifact = STEP) -> Path:
    answer = step.check(system)
    assert isinstance(answer, Change)
    step.apply(system, answer)
    system.recorded[RESOURCE] = step.fingerprint(system)
    assert step.check(system) is None
    return Path(system.path("/bin/a"))


def test_it_is_put_in_its_place(system: System) -> None:
    file = carried_out(system)
    assert file.read_bytes() == CONTENT and file.stat().st_mode & 0o777 == 0o755


def test_another_file_system_is_no_hindrance(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(*_: str) -> None:
        raise OSError("cross-device link")

    monkeypatch.setattr(os, "link", elsewhere)
    assert carried_out(system).read_bytes() == CONTENT


def test_what_was_not_brought_is_told(system: System) -> None:
    other = Artifact(artifact="one/b:arm64", path="/bin/b", sha256="0" * 64)
    answer = other.check(system)
    assert isinstance(answer, Change)
    with pytest.raises(StepError, match="one/b:arm64 was not brought"):
        other.apply(system, answer)


def test_what_is_not_ours_is_not_touched(system: System) -> None:
    file = Path(system.path("/bin/a"))
    file.write_bytes(b"theirs")
    with pytest.raises(StepError, match="bramble did not put it there"):
        STEP.check(system)
    assert file.read_bytes() == b"theirs"


def test_what_was_cut_between_its_change_and_its_record_is_taken_for_ours(system: System) -> None:
    carried_out(system)
    system.recorded[RESOURCE] = None
    assert STEP.check(system) is None


def test_what_somebody_changed_is_put_right(system: System) -> None:
    file = carried_out(system)
    file.unlink()
    file.write_bytes(b"changed")
    answer = STEP.check(system)
    assert isinstance(answer, Change) and f"and must be {SHA}" in answer.summary
    assert hashlib.sha256(b"changed").hexdigest() in answer.summary
    file.chmod(0o755)
    other = dataclasses.replace(STEP, sha256="0" * 64).check(system)
    assert isinstance(other, Change) and other.summary == "content"  # another version is no news


def test_a_large_file_is_read_once(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out(system)
    monkeypatch.setattr(hashlib, "sha256", lambda *_: pytest.fail("it was read again"))
    assert STEP.check(system) is None


def test_looked_at_without_a_hash_what_was_put_there_last_is_in_order(system: System) -> None:
    file = carried_out(system)
    looking = Artifact(artifact="one/a:arm64", path="/bin/a")
    assert looking.check(system) is None
    file.unlink()
    file.write_bytes(b"changed")
    assert looking.check(system) is not None


def test_it_goes_again(system: System) -> None:
    file = carried_out(system)
    assert STEP.undo(system, {RESOURCE: Record(before=None, after=system.recorded[RESOURCE])}) is None
    assert not file.exists()
    assert STEP.undo(system, {RESOURCE: Record(before=None, after=system.recorded[RESOURCE])}) is None


def test_what_somebody_changed_since_stays(system: System) -> None:
    file = carried_out(system)
    file.unlink()
    file.write_bytes(b"changed")
    kept = STEP.undo(system, {RESOURCE: Record(before=None, after=system.recorded[RESOURCE])})
    assert kept and "changed by somebody" in kept and file.exists()
