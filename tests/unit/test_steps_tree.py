"""An archive that was brought is unpacked in its place, never by half or outside of it, and taken away again."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import shutil
import tarfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from bramble.runner import transfer
from bramble.runner.step import Change, Record, StepError
from bramble.runner.steps import Tree, tree, unpacking
from bramble.runner.system import Cancelled, System

RESOURCE = "Tree /opt/made"


def entry(name: str, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(made, key, value)
    return made


def packed(files: dict[str, str], *others: tarfile.TarInfo, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:  # type: ignore[call-overload]
        for name, text in files.items():
            executable = 0o4775 if name.endswith("run") else 0o600
            tar.addfile(entry(name, size=len(text), mode=executable, mtime=1_700_000_000), io.BytesIO(text.encode()))
        for other in others:
            tar.addfile(other)
    return out.getvalue()


PROGRAMS = packed({"made-1.0/bin/run": "runs", "made-1.0/lib/part": "a part"})
NEWER = packed({"made-1.1/bin/run": "runs better"})


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Tree]:
    """Brings an archive to the host, and gives the step for it."""
    (tmp_path / "root" / "opt").mkdir(parents=True)
    monkeypatch.setattr(transfer, "place", lambda sha256: str(tmp_path / f"brought-{sha256}"))

    def brought(archive: bytes) -> Tree:
        sha256 = hashlib.sha256(archive).hexdigest()
        (tmp_path / f"brought-{sha256}").write_bytes(archive)
        return Tree(artifact="made:all", path="/opt/made", sha256=sha256, size=len(archive))

    return brought


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(str(tmp_path / "root"))


def carried_out(system: System, step: Tree) -> Path:
    answer = step.check(system)
    assert isinstance(answer, Change)
    step.apply(system, answer)
    system.recorded[RESOURCE] = step.fingerprint(system)
    assert step.check(system) is None
    return Path(system.path("/opt/made"))


def undone(system: System, step: Tree) -> str | None:
    return step.undo(system, {RESOURCE: Record(before=None, after=system.recorded.get(RESOURCE))})


def beside(system: System) -> list[str]:
    return sorted(os.listdir(system.path("/opt")))


def test_it_is_unpacked_without_the_one_folder_that_holds_all(system: System, bring: Callable[[bytes], Tree]) -> None:
    folder = carried_out(system, bring(PROGRAMS))
    assert (folder / "bin/run").read_text() == "runs" and (folder / "bin/run").stat().st_mode & 0o7777 == 0o755
    assert (folder / "lib/part").stat().st_mode & 0o7777 == 0o644
    assert beside(system) == ["made"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_what_has_no_such_folder_is_unpacked_as_it_is(
    system: System, bring: Callable[[bytes], Tree], mode: str
) -> None:
    archive = packed({"bin/run": "runs", "read.me": "how"}, entry("empty", type=tarfile.DIRTYPE), mode=mode)
    folder = carried_out(system, bring(archive))
    assert sorted(os.listdir(folder)) == [tree.NOTE, "bin", "empty", "read.me"]


def test_links_within_stay_links_and_hard_ones_become_files(system: System, bring: Callable[[bytes], Tree]) -> None:
    soft = entry("made/now", type=tarfile.SYMTYPE, linkname="bin/run")
    hard = entry("made/too", type=tarfile.LNKTYPE, linkname="made/bin/run")
    folder = carried_out(system, bring(packed({"made/bin/run": "runs"}, soft, hard)))
    assert os.readlink(folder / "now") == "bin/run" and (folder / "too").read_text() == "runs"


@pytest.mark.parametrize(
    "bad",
    [
        entry("../evil", size=0),
        entry("/etc/evil", size=0),
        entry("made/../../evil", size=0),
        entry("made/link", type=tarfile.SYMTYPE, linkname="/etc"),
        entry("made/link", type=tarfile.SYMTYPE, linkname="../../evil"),
        entry("made/link", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        entry("made/link", type=tarfile.LNKTYPE, linkname="made/../../evil"),
        entry("made/device", type=tarfile.CHRTYPE),
    ],
    ids=lambda bad: f"{bad.name} {bad.linkname}".strip(),
)
def test_what_leads_outside_is_refused(system: System, bring: Callable[[bytes], Tree], bad: tarfile.TarInfo) -> None:
    step = bring(packed({"made/bin/run": "runs"}, bad))
    with pytest.raises(StepError, match="nothing of it was unpacked"):
        step.apply(system, Change("unpack"))
    assert beside(system) == []


def test_a_link_by_way_of_another_does_not_lead_outside(system: System, bring: Callable[[bytes], Tree]) -> None:
    # By its words alone the second ends at the first; where it really leads is above the folder.
    here = entry("made/here", type=tarfile.SYMTYPE, linkname=".")
    up = entry("made/up", type=tarfile.SYMTYPE, linkname="here/here/..")
    with pytest.raises(StepError, match="up in the archive leads out of it"):
        bring(packed({"made/a": ""}, here, up)).apply(system, Change("unpack"))
    through = packed({"made/a": "", "made/here/b": "b"}, entry("made/here", type=tarfile.SYMTYPE, linkname="/etc"))
    with pytest.raises((StepError, OSError)):
        bring(through).apply(system, Change("unpack"))
    assert beside(system) == []


def test_what_is_no_archive_is_told(system: System, bring: Callable[[bytes], Tree]) -> None:
    for content in (b"something else", PROGRAMS[:700], packed({"a": "b" * 5000}, mode="w:gz")[:60]):
        with pytest.raises(StepError, match="no archive that can be unpacked"):
            bring(content).apply(system, Change("unpack"))
    assert beside(system) == []


def test_a_disk_that_is_too_small_is_told_before(
    system: System, bring: Callable[[bytes], Tree], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, unpacking.SPARE))
    with pytest.raises(StepError, match="its disk is too full"):
        bring(PROGRAMS).apply(system, Change("unpack"))
    assert beside(system) == []


def test_an_interrupt_leaves_nothing_half(system: System, bring: Callable[[bytes], Tree]) -> None:
    system.cancel.set()
    with pytest.raises(Cancelled):
        bring(PROGRAMS).apply(system, Change("unpack"))
    system.cancel.clear()
    system.deadline = 0.0
    with pytest.raises(StepError, match="not unpacked in time"):
        bring(PROGRAMS).apply(system, Change("unpack"))
    assert beside(system) == []


def test_what_a_power_cut_left_is_gone_with_the_next_try(system: System, bring: Callable[[bytes], Tree]) -> None:
    folder = carried_out(system, bring(PROGRAMS))
    half = folder.with_name(".made.bramble-new")
    half.mkdir()
    (half / "a").touch()
    folder.rename(folder.with_name(".made.bramble-old"))  # cut between two names
    assert (carried_out(system, bring(NEWER)) / "bin/run").read_text() == "runs better"
    assert beside(system) == ["made"]


def test_another_version_takes_its_place(system: System, bring: Callable[[bytes], Tree]) -> None:
    folder = carried_out(system, bring(PROGRAMS))
    newer = bring(NEWER)
    assert newer.check(system) == Change("unpack anew", {RESOURCE: None})
    carried_out(system, newer)
    assert (folder / "bin/run").read_text() == "runs better" and not (folder / "lib").exists()


def test_what_somebody_changed_is_put_right(system: System, bring: Callable[[bytes], Tree]) -> None:
    step = bring(PROGRAMS)
    folder = carried_out(system, step)
    (folder / "bin/run").write_text("mine")
    answer = step.check(system)
    assert isinstance(answer, Change) and answer.summary == "bin/run was changed: unpack anew"
    carried_out(system, step)
    assert (folder / "bin/run").read_text() == "runs"


def test_what_somebody_put_in_is_never_lost(system: System, bring: Callable[[bytes], Tree]) -> None:
    step = bring(PROGRAMS)
    folder = carried_out(system, step)
    (folder / "lib/mine").write_text("mine")
    assert step.check(system) is None
    with pytest.raises(StepError, match="holds what bramble did not put there: lib/mine was"):
        bring(NEWER).apply(system, Change("unpack"))
    reason = undone(system, step)
    assert reason and "lib/mine was put there or changed" in reason and "so it stays" in reason
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == [tree.NOTE, "lib", "lib/mine"]
    (folder / "lib/mine").unlink()
    assert undone(system, step) is None and beside(system) == []


def test_what_python_leaves_beside_modules_does_not_matter(system: System, bring: Callable[[bytes], Tree]) -> None:
    step = bring(PROGRAMS)
    folder = carried_out(system, step)
    (folder / "lib/__pycache__").mkdir()
    (folder / "lib/__pycache__/part.pyc").touch()
    assert step.check(system) is None
    assert undone(system, step) is None and beside(system) == []


def test_what_is_not_ours_is_not_touched(system: System, bring: Callable[[bytes], Tree]) -> None:
    folder = Path(system.path("/opt/made"))
    folder.mkdir()
    with pytest.raises(StepError, match="bramble did not put it there"):
        bring(PROGRAMS).check(system)


def test_it_is_looked_at_without_its_hash(system: System, bring: Callable[[bytes], Tree]) -> None:
    step = bring(PROGRAMS)
    folder = carried_out(system, step)
    looking = dataclasses.replace(step, sha256="", size=0)
    assert looking.check(system) is None
    (folder / "bin/run").unlink()
    assert isinstance(looking.check(system), Change)
    with pytest.raises(StepError, match="made:all was not brought"):
        looking.apply(system, Change("unpack"))


def test_it_goes_again(system: System, bring: Callable[[bytes], Tree]) -> None:
    step = bring(PROGRAMS)
    carried_out(system, step)
    assert undone(system, step) is None and beside(system) == []
    assert undone(system, step) is None
