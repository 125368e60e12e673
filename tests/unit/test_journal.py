"""The journal: nothing is lost track of, whatever is cut off when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bramble.runner.journal import Journal
from bramble.runner.step import StepError

STEP = {"type": "File", "path": "/etc/a"}


def journal_in(folder: Path) -> Journal:
    return Journal.open(str(folder / "bramble"))


def test_what_was_there_first_stays_written(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.intend("slurm", STEP, ["File /etc/a"], {"File /etc/a": "original"}, "run1")
    journal.intend("slurm", STEP, ["File /etc/a"], {"File /etc/a": "what run1 wrote"}, "run2")
    (entry,) = journal_in(tmp_path).entries_of("slurm")
    assert (entry.before, entry.run) == ("original", "run2")


def test_found_as_wanted_then_changed_is_touched(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.intend("slurm", STEP, ["File /etc/a"], {}, "run1")
    assert not journal.entries_of("slurm")[0].touched
    journal.intend("slurm", STEP, ["File /etc/a"], {"File /etc/a": "theirs"}, "run2")
    (entry,) = journal_in(tmp_path).entries_of("slurm")
    assert entry.touched and entry.before == "theirs"


def test_a_run_that_says_nothing_new_writes_nothing(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.intend("slurm", STEP, ["File /etc/a"], {"File /etc/a": None}, "run1")
    journal.confirm("slurm", "File /etc/a", "abc")
    size = Path(journal.path).stat().st_size
    again = journal_in(tmp_path)
    again.intend("slurm", STEP, ["File /etc/a"], {}, "run2")
    again.confirm("slurm", "File /etc/a", "abc")
    assert Path(journal.path).stat().st_size == size


def test_removal_goes_backwards_and_keeps_the_place_of_the_first_time(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for name in "abc":
        journal.intend("slurm", STEP, [name], {name: None}, "run1")
    journal_in(tmp_path).intend("slurm", {**STEP, "mode": 1}, ["a"], {"a": "x"}, "run2")
    assert [entry.resource for entry in journal_in(tmp_path).entries_of("slurm")] == ["c", "b", "a"]


def test_what_comes_late_and_is_needed_by_a_step_goes_after_it(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for name in ("program 1", "daemon", "token"):
        journal.intend("slurm", STEP, [name], {name: None}, "run1")
    journal = journal_in(tmp_path)
    for name in ("program 1", "program 2", "daemon", "token"):
        journal.intend("slurm", STEP, [name], {name: None} if name == "program 2" else {}, "run2")
    entries = journal_in(tmp_path).entries_of("slurm")
    assert [entry.resource for entry in entries] == ["token", "daemon", "program 2", "program 1"]
    # Who saw a resource first is another question.
    assert [entry.number for entry in entries] == [3, 2, 5, 1]
    size = Path(journal.path).stat().st_size
    again = journal_in(tmp_path)
    for name in ("program 1", "program 2", "daemon", "token"):
        again.intend("slurm", STEP, [name], {}, "run3")
    assert Path(journal.path).stat().st_size == size


def test_no_two_steps_ever_share_a_place(tmp_path: Path) -> None:
    """Else removal would take them for one application, and put only the first of them back."""

    def carried_out(run: str, *names: str) -> None:
        journal = journal_in(tmp_path)
        known = {entry.resource for entry in journal.entries_of("slurm")}
        for name in names:
            journal.intend("slurm", STEP, [name], {} if name in known else {name: None}, run)

    carried_out("run1", "program 1", "daemon", "token")
    carried_out("run2", "program 1", "program 2", "daemon", "token")
    carried_out("run3", "folder")  # cut off
    entries = journal_in(tmp_path).entries_of("slurm")
    assert [entry.resource for entry in entries] == ["folder", "token", "daemon", "program 2", "program 1"]
    assert len({entry.place for entry in entries}) == len(entries)


def test_a_journal_without_places_is_read(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for name in "ab":
        journal.intend("slurm", STEP, [name], {name: None}, "run1")
    path = Path(journal.path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        del line["entry"]["place"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [(entry.resource, entry.place) for entry in journal_in(tmp_path).entries_of("slurm")] == [("b", 2), ("a", 1)]


@given(st.data())
def test_any_cut_of_the_file_leaves_a_readable_journal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    journal = journal_in(folder)
    for number in range(4):
        journal.intend("slurm", STEP, [f"r{number}"], {f"r{number}": None}, "run1")
    whole = Path(journal.path).read_bytes()
    # A fraction: the length itself varies with the digits of the time.
    cut = int(data.draw(st.floats(0, 1)) * len(whole))
    Path(journal.path).write_bytes(whole[:cut])
    complete = whole[:cut].count(b"\n")
    assert len(journal_in(folder).entries) == complete


def test_a_fault_in_the_middle_is_named_not_passed_over(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.intend("slurm", STEP, ["a"], {"a": None}, "run1")
    path = Path(journal.path)
    path.write_bytes(b"rubbish\n" + path.read_bytes())
    with pytest.raises(StepError, match="line 1 of"):
        journal_in(tmp_path)


def test_the_last_service_gets_what_the_leaving_one_knew(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.intend("slurm", STEP, ["a"], {"a": "original"}, "run1")
    journal.intend("spark", STEP, ["a"], {}, "run2")
    (leaving,) = journal.entries_of("slurm")
    (heir,) = journal.others("slurm", "a")
    journal.hand_over(leaving, heir)
    reread = journal_in(tmp_path)
    assert reread.services() == ["spark"]
    assert reread.entries_of("spark")[0].before == "original" and reread.entries_of("spark")[0].touched


def test_kept_bytes_come_back_and_a_changed_copy_is_refused(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    name = journal.keep(b"before")
    assert journal.kept_bytes(name) == b"before"
    (Path(journal.folder) / "kept" / name).write_bytes(b"tampered")
    with pytest.raises(StepError, match="was changed"):
        journal.kept_bytes(name)


def test_an_empty_journal_leaves_no_folder(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.intend("slurm", STEP, ["a"], {"a": None}, "run1")
    journal.keep(b"x")
    journal.drop("slurm", ["a"])
    journal.close()
    assert not Path(journal.folder).exists()


def test_compacting_keeps_what_holds(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for number in range(60):
        journal.intend("slurm", {**STEP, "n": number}, ["a"], {"a": None}, f"run{number}")
    journal.close()
    lines = Path(journal.path).read_text().splitlines()
    assert len(lines) == 1 and json.loads(lines[0])["entry"]["run"] == "run59"
    assert journal_in(tmp_path).entries == journal.entries


def test_a_disk_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "bramble").write_text("a file where the folder should be")
    with pytest.raises(StepError) as caught:
        Journal(str(tmp_path / "bramble")).intend("slurm", STEP, ["a"], {"a": None}, "run1")
    assert "cannot be written, so nothing was changed" in caught.value.what
