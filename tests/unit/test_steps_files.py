"""Files, directories, links and lines, on a folder that plays the host's file system."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tests.disk import ME, Disk, carry_out, change, put_back

from bramble.runner.secret import Secret
from bramble.runner.step import Record, StepError, Unknown
from bramble.runner.steps import Directory, File, Line, Link
from bramble.runner.wire import encode


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here, so nothing needs to reach a real disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "etc").mkdir()
    return Disk(tmp_path)


# File


def test_a_file_over_another_comes_and_goes(disk: Disk) -> None:
    real = disk.put("/etc/a", "theirs", 0o640)
    step = File(path="/etc/a", content="ours", **ME)
    records = carry_out(step, disk)
    assert real.read_text() == "ours" and real.stat().st_mode & 0o777 == 0o644
    assert put_back(step, disk, records) is None
    assert real.read_text() == "theirs" and real.stat().st_mode & 0o777 == 0o640


def test_what_somebody_wrote_since_is_kept_beside_the_journal_and_named(disk: Disk) -> None:
    carry_out(File(path="/etc/a", content="one", **ME), disk)
    disk.put("/etc/a", "by hand")
    answer = change(File(path="/etc/a", content="two", **ME), disk)
    mark = hashlib.sha256(b"by hand").hexdigest()
    assert f"/var/lib/bramble/kept/{mark}" in answer.summary
    File(path="/etc/a", content="two", **ME).apply(disk, answer)
    assert disk.bytes[mark] == b"by hand"


def test_our_own_earlier_version_is_not_kept(disk: Disk) -> None:
    carry_out(File(path="/etc/a", content="one", **ME), disk)
    carry_out(File(path="/etc/a", content="two", **ME), disk)
    assert disk.bytes == {}


def test_a_file_that_somebody_changed_since_stays(disk: Disk) -> None:
    step = File(path="/etc/a", content="ours", **ME)
    records = carry_out(step, disk)
    disk.put("/etc/a", "by hand")
    reason = step.undo(disk, records)
    assert reason is not None and "changed by somebody" in reason
    assert disk.text("/etc/a") == "by hand" and disk.kept == ["/etc/a"]


def test_content_in_parts_is_joined_and_never_shown(disk: Disk) -> None:
    disk.put("/etc/a", "password=old\n")
    step = File(path="/etc/a", content=("password=", Secret("p", value=b"hunter2"), "\n"), **ME)
    answer = change(step, disk)
    assert answer.diff == "" and "hunter2" not in repr(answer) + repr(step) + str(encode(step))
    step.apply(disk, answer)
    assert disk.text("/etc/a") == "password=hunter2\n"


@pytest.mark.parametrize(("before", "after"), [(0o600, 0o644), (0o644, 0o640), (0o640, 0o600)])
def test_a_diff_shows_nothing_that_others_may_not_read(disk: Disk, before: int, after: int) -> None:
    disk.put("/etc/a", "theirs", before)
    assert change(File(path="/etc/a", content="ours", mode=after, **ME), disk).diff == ""


def test_a_diff_shows_what_everybody_may_read(disk: Disk) -> None:
    disk.put("/etc/a", "theirs\n")
    diff = change(File(path="/etc/a", content="ours\n", **ME), disk).diff
    assert "-theirs" in diff and "+ours" in diff


def test_a_missing_folder_is_no_error_before_it_is_needed(disk: Disk) -> None:
    step = File(path="/etc/munge/key", content="x", **ME)
    answer = change(step, disk)
    with pytest.raises(StepError, match="/etc/munge/key cannot be made") as raised:
        step.apply(disk, answer)
    assert "/etc/munge does not exist" in raised.value.why


def test_an_owner_who_is_yet_to_come_is_said(disk: Disk) -> None:
    step = File(path="/etc/a", content="x", owner="nobody-there")
    assert "once that user is there" in change(step, disk).summary
    with pytest.raises(StepError, match="cannot be given to nobody-there"):
        step.apply(disk, change(step, disk))


def test_a_folder_in_the_place_of_a_file_is_an_error(disk: Disk) -> None:
    with pytest.raises(StepError, match="/etc is a directory, not a file"):
        File(path="/etc", content="x").check(disk)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.put("/etc/a", "theirs")
    step = File(path="/etc/a", content="ours", **ME)
    answer = change(step, disk)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        step.apply(disk, answer)
    assert raised.value.filename == disk.path("/etc/a")
    assert os.listdir(disk.path("/etc")) == ["a"] and disk.text("/etc/a") == "theirs"


def test_what_a_cut_left_of_a_write_is_taken_away(disk: Disk) -> None:
    disk.put("/etc/.a.bramble-new", "half")
    carry_out(File(path="/etc/a", content="ours", **ME), disk)
    assert os.listdir(disk.path("/etc")) == ["a"]


# Directory


def test_a_directory_of_data_goes_only_when_data_may(disk: Disk) -> None:
    step = Directory(path="/srv", data=True, **ME)
    records = carry_out(step, disk)
    disk.put("/srv/precious")
    reason = put_back(step, disk, records)
    assert reason is not None and "holds data" in reason
    disk.purge = True
    assert put_back(step, disk, records) is None
    assert not os.path.exists(disk.path("/srv"))


def test_data_that_stayed_is_ours_again_and_goes_when_it_may(disk: Disk) -> None:
    step = Directory(path="/srv", data=True, **ME)
    records = carry_out(step, disk)
    disk.put("/srv/precious")
    assert put_back(step, disk, records)
    disk.recorded.clear()
    records = carry_out(step, disk)
    assert os.listdir(disk.path("/srv")) == ["precious"]
    disk.purge = True
    assert put_back(step, disk, records) is None
    assert not os.path.exists(disk.path("/srv"))


def test_data_that_was_there_before_is_never_ours(disk: Disk) -> None:
    disk.put("/srv/theirs")
    os.chmod(disk.path("/srv"), 0o755)
    assert Directory(path="/srv", data=True, **ME).check(disk) is None


def test_a_directory_with_something_foreign_in_it_stays_also_with_purge(disk: Disk) -> None:
    step = Directory(path="/srv", **ME)
    records = carry_out(step, disk)
    disk.put("/srv/theirs")
    disk.purge = True
    reason = put_back(step, disk, records)
    assert reason is not None and "theirs" in reason


def test_a_change_of_mode_that_was_cut_half_way_is_put_back(disk: Disk) -> None:
    os.mkdir(disk.path("/srv"), 0o755)
    step = Directory(path="/srv", mode=0o700, **ME)
    before = change(step, disk).before["Directory /srv"]
    os.chmod(disk.path("/srv"), 0o711)
    assert step.undo(disk, {"Directory /srv": Record(before, None)}) is None
    assert os.stat(disk.path("/srv")).st_mode & 0o777 == 0o755


# Link


def test_a_link_is_turned_and_turned_back(disk: Disk) -> None:
    os.symlink("old", disk.path("/etc/l"))
    step = Link(path="/etc/l", target="new")
    records = carry_out(step, disk)
    assert os.readlink(disk.path("/etc/l")) == "new"
    assert put_back(step, disk, records) is None
    assert os.readlink(disk.path("/etc/l")) == "old"


@pytest.mark.parametrize(("turned", "stays"), [("other", False), ("theirs", True)])
def test_a_link_that_something_of_ours_turned_is_nobody_else_s(disk: Disk, turned: str, stays: bool) -> None:
    step = Link(path="/etc/l", target="new", ours=("other",))
    records = carry_out(step, disk)
    os.unlink(disk.path("/etc/l"))
    os.symlink(turned, disk.path("/etc/l"))
    assert bool(put_back(step, disk, records)) == stays
    assert os.path.lexists(disk.path("/etc/l")) == stays


def test_a_file_in_the_place_of_a_link_is_not_lost(disk: Disk) -> None:
    disk.put("/etc/l", "precious")
    with pytest.raises(StepError, match="is a file, not a link"):
        Link(path="/etc/l", target="x").check(disk)


# Line

LINES = st.lists(st.sampled_from(["", "a", "b", "  b", "x 1", "x 2", "# x", "é\udcff"]), max_size=6)
WANTED = st.sampled_from(
    [
        Line(path="/etc/f", line="a"),
        Line(path="/etc/f", line="new"),
        Line(path="/etc/f", line="x 3", match=r"^x "),
        Line(path="/etc/f", line="x 2", match=r"x"),
        Line(path="/etc/f", line="b", absent=True),
        Line(path="/etc/f", match=r"^x", absent=True),
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, ended=st.booleans(), carriage=st.booleans(), step=WANTED)
def test_a_line_is_put_in_once_and_taken_out_without_a_trace(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ended: bool, carriage: bool, step: Line
) -> None:
    disk = Disk(tmp_path_factory.getbasetemp() / "line")
    end = "\r\n" if carriage else "\n"
    original = (end.join(lines) + (end if ended and lines else "")).encode("utf-8", "surrogateescape")
    real = disk.put("/etc/f", original)
    answer = step.check(disk)
    assume(answer is not None)
    records = carry_out(step, disk)
    content = real.read_bytes().decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    assert content.count(step.line) == (0 if step.absent else 1) or step.line == ""
    assert put_back(step, disk, records) is None
    assert real.read_bytes() == original


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, step=WANTED, above=st.integers(0, 3), below=st.integers(0, 3))
@example(lines=["", "x 1", "", "x 2"], step=Line(path="/etc/f", match=r"^x", absent=True), above=1, below=0)
def test_what_others_write_around_a_line_stays(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], step: Line, above: int, below: int
) -> None:
    disk = Disk(tmp_path_factory.getbasetemp() / "line")
    real = disk.put("/etc/f", "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    before = real.read_bytes()
    assume(step.check(disk) is not None)
    records = carry_out(step, disk)
    real.write_bytes(b"theirs\n" * above + real.read_bytes() + b"theirs\n" * below)
    assert put_back(step, disk, records) is None
    assert sorted(real.read_bytes().split(b"\n")) == sorted(
        b"".join([b"theirs\n" * above, before, b"theirs\n" * below]).split(b"\n")
    )


def test_a_line_that_somebody_changed_stays_as_it_is(disk: Disk) -> None:
    disk.put("/etc/f", "x 1\n")
    step = Line(path="/etc/f", line="x 2", match="^x")
    records = carry_out(step, disk)
    disk.put("/etc/f", "x 5\n")
    reason = put_back(step, disk, records)
    assert reason is not None and "somebody took 'x 2' out" in reason
    assert disk.text("/etc/f") == "x 5\n"


def test_a_line_in_a_file_that_is_not_there_cannot_be_judged(disk: Disk) -> None:
    assert isinstance(Line(path="/etc/f", line="a").check(disk), Unknown)
    assert Line(path="/etc/f", line="a", absent=True).check(disk) is None


def test_the_mode_of_the_file_of_a_line_stays_and_a_private_one_is_not_shown(disk: Disk) -> None:
    real = disk.put("/etc/f", "secret\n", 0o600)
    step = Line(path="/etc/f", line="a")
    assert change(step, disk).diff == ""
    carry_out(step, disk)
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "fields",
    [{}, {"line": "a\nb"}, {"line": "a", "match": "b"}, {"absent": True}],
)
def test_a_line_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Line(path="/etc/f", **fields)
