"""Keys of a JSON file that others own, too."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.disk import Disk, carry_out, change, put_back

from bramble.runner.step import StepError
from bramble.runner.steps import JsonKeys

FILE = "/etc/daemon.json"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here, so nothing needs to reach a real disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "etc").mkdir()
    return Disk(tmp_path)


def parsed(disk: Disk) -> Any:
    return json.loads(disk.text(FILE))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(theirs=st.none() | OBJECTS, keys=OBJECTS.filter(bool), indent=st.sampled_from([None, 1]))
def test_keys_come_and_go_and_leave_the_file_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, theirs: dict[str, Any] | None, keys: dict[str, Any], indent: int | None
) -> None:
    disk = Disk(tmp_path_factory.getbasetemp() / "json")
    real = disk.put(FILE, json.dumps(theirs, indent=indent), 0o640)
    if theirs is None:
        real.unlink()
    step = JsonKeys(path=FILE, keys=keys)
    assume(step.check(disk) is not None)
    records = carry_out(step, disk)
    assert parsed(disk) == {**(theirs or {}), **keys}
    assert put_back(step, disk, records) is None
    assert (real.read_text() if real.exists() else None) == (
        None if theirs is None else json.dumps(theirs, indent=indent)
    )
    assert theirs is None or real.stat().st_mode & 0o777 == 0o640


def test_what_others_wrote_meanwhile_stays(disk: Disk) -> None:
    disk.put(FILE, '{"a": 1, "b": 2}')
    step = JsonKeys(path=FILE, keys={"a": [10], "c": 30})
    records = carry_out(step, disk)
    disk.put(FILE, '{"a": [10], "b": 5, "c": 30, "d": 7}')
    assert put_back(step, disk, records) is None
    assert parsed(disk) == {"a": 1, "b": 5, "d": 7}


def test_a_file_of_ours_stays_for_the_keys_of_others(disk: Disk) -> None:
    step = JsonKeys(path=FILE, keys={"a": 1})
    records = carry_out(step, disk)
    disk.put(FILE, '{"a": 1, "b": 2}')
    assert put_back(step, disk, records) is None
    assert parsed(disk) == {"b": 2}


def test_a_key_that_somebody_changed_since_stays_and_is_named(disk: Disk) -> None:
    disk.put(FILE, '{"a": 1}')
    step = JsonKeys(path=FILE, keys={"a": 2, "b": 3})
    records = carry_out(step, disk)
    disk.put(FILE, '{"a": 9, "b": 3}')
    reason = step.undo(disk, records)
    assert reason is not None and reason.startswith(f"a in {FILE} was changed by somebody")
    assert parsed(disk) == {"a": 9} and disk.kept == [FILE]


def test_a_key_that_is_wanted_no_longer_is_put_back_alone(disk: Disk) -> None:
    disk.put(FILE, '{"b": 0}')
    step = JsonKeys(path=FILE, keys={"a": 1, "b": 2})
    records = carry_out(step, disk)
    name = f"JsonKeys {FILE}: b"
    assert step.undo(disk, {name: records.pop(name)}) is None
    assert parsed(disk) == {"a": 1, "b": 0}
    assert JsonKeys(path=FILE, keys={"a": 1}).check(disk) is None
    assert put_back(step, disk, records) is None
    assert disk.text(FILE) == '{"b": 0}'


def test_true_is_not_one(disk: Disk) -> None:
    disk.put(FILE, '{"a": 1}')
    records = carry_out(JsonKeys(path=FILE, keys={"a": True}), disk)
    assert disk.text(FILE) == '{\n    "a": true\n}\n'
    assert put_back(JsonKeys(path=FILE, keys={"a": True}), disk, records) is None
    assert disk.text(FILE) == '{"a": 1}'


def test_a_private_file_is_not_shown_and_stays_private(disk: Disk) -> None:
    real = disk.put(FILE, '{"proxy": "http://me:secret@red"}', 0o600)
    step = JsonKeys(path=FILE, keys={"a": 1})
    assert change(step, disk).diff == "" and change(step, disk).summary == "add a"
    carry_out(step, disk)
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("text", "why"), [("{,}", "is not JSON"), ("[1]", "holds no JSON object")])
def test_a_file_that_cannot_be_read_is_left_alone(disk: Disk, text: str, why: str) -> None:
    disk.put(FILE, text)
    with pytest.raises(StepError, match=why):
        JsonKeys(path=FILE, keys={"a": 1}).check(disk)
    assert disk.text(FILE) == text


def test_an_empty_file_has_no_keys_and_is_empty_again(disk: Disk) -> None:
    disk.put(FILE, "")
    step = JsonKeys(path=FILE, keys={"a": 1})
    records = carry_out(step, disk)
    assert put_back(step, disk, records) is None
    assert disk.text(FILE) == ""


def test_no_keys_and_no_folder_are_refused(disk: Disk) -> None:
    with pytest.raises(ValueError, match="needs a key"):
        JsonKeys(path=FILE, keys={})
    step = JsonKeys(path="/etc/none/daemon.json", keys={"a": 1})
    with pytest.raises(StepError, match="cannot be made"):
        step.apply(disk, change(step, disk))
