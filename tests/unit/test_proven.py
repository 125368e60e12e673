"""Long proofs run again where something has changed since they passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.lab import proven


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the proof of Hadoop is about; nothing has passed yet."""
    (tmp_path / "proven.json").write_text("{}")
    (tmp_path / "test_hadoop.py").write_text("# the proof")
    (tmp_path / "test_hadoop.ambr").write_text("# what it does on hosts")
    monkeypatch.setattr(proven, "_HERE", tmp_path)
    monkeypatch.setattr(proven, "_SNAPSHOTS", tmp_path)
    monkeypatch.setattr(proven, "_FILE", tmp_path / "proven.json")
    return tmp_path


def test_what_passed_is_proven(here: Path) -> None:
    assert not proven.is_proven("test_hadoop")
    proven.note("test_hadoop")
    assert proven.is_proven("test_hadoop")


@pytest.mark.parametrize("changed", ["test_hadoop.py", "test_hadoop.ambr", "test_java.ambr"])
def test_a_change_has_to_be_proved(here: Path, changed: str) -> None:
    proven.note("test_hadoop")
    (here / changed).write_text("# another")
    assert not proven.is_proven("test_hadoop")


def test_only_what_there_is_was_noted() -> None:
    there = json.loads((Path(__file__).parents[1] / "lab/proven.json").read_text())
    assert set(there) <= set(proven.LONG)
    files = {proof.partition("[")[0] for proof in proven.LONG}
    assert all((Path(__file__).parents[1] / f"lab/{file}.py").exists() for file in files)
