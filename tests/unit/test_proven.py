"""Long proofs run again where something has changed since they passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.lab import proven

import bramble.services


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the proof of Hadoop is about; nothing has passed yet."""
    (tmp_path / "proven.json").write_text("{}")
    (tmp_path / "test_hadoop.py").write_text("# the proof")
    for room in ("java", "hadoop/files"):
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "one.py").write_text("# the service")
    monkeypatch.setattr(proven, "_HERE", tmp_path)
    monkeypatch.setattr(proven, "_FILE", tmp_path / "proven.json")
    monkeypatch.setattr(bramble.services, "__file__", str(tmp_path / "__init__.py"))
    return tmp_path


def test_what_passed_is_proven(rooms: Path) -> None:
    assert not proven.is_proven("test_hadoop")
    proven.note("test_hadoop")
    assert proven.is_proven("test_hadoop")


@pytest.mark.parametrize("changed", ["test_hadoop.py", "java/one.py", "hadoop/files/one.py", "hadoop/another.conf"])
def test_a_change_has_to_be_proved(rooms: Path, changed: str) -> None:
    proven.note("test_hadoop")
    (rooms / changed).write_text("# another")
    assert not proven.is_proven("test_hadoop")


def test_only_what_there_is_was_noted() -> None:
    there = json.loads((Path(__file__).parents[1] / "lab/proven.json").read_text())
    assert set(there) <= set(proven.LONG)
    assert all((Path(__file__).parents[1] / f"lab/{test}.py").exists() for test in proven.LONG)
