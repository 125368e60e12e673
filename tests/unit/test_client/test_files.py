"""Files of here by way of a service: they go there, the verb has them, what it makes comes home, and nothing stays."""

from __future__ import annotations

import asyncio
import functools
import io
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.service import Proxy, Running
from tests.unit.test_artifacts_carried import Given

from bramble import api
from bramble.api.kept import kept
from bramble.artifact import Artifact
from bramble.engine.report import HostResult, Report
from bramble.errors import BrambleError, Interrupted, UsageError
from bramble.rest.files import Files
from bramble.runner import events
from bramble.runner.events import Event

#: Works on the area of files and the arguments of a verb; what it returns becomes ``data`` of the report.
Work = Callable[..., Any]


@pytest.fixture
def area(service: Running) -> Path:
    """Where the service has the files of its callers."""
    return service.folder / "files"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that somebody is in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def done_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Work], None]:
    """Have a verb do something else than to go to hosts."""

    def replace(name: str, work: Work) -> None:
        @functools.wraps(getattr(api, name))
        async def verb(*, on_event: Any, on_begin: Any, **values: Any) -> Report:
            on_begin(("red",))
            found = work(**values)
            data = await found if asyncio.iscoroutine(found) else found
            on_event(events.Note(text=f"done with {values}"))
            hosts = {"red": HostResult(host="red", outcome="done")}
            return Report(run="7", verb=name, cluster="red", hosts=hosts, data=data)

        monkeypatch.setattr(api, name, verb)

    return replace


def names(folder: Path) -> list[str]:
    """Of all that is in it."""
    return [path.name for path in folder.iterdir()]


def tree(folder: Path) -> dict[str, tuple[int, int, bytes | str]]:
    """All that is below a folder: permissions, time and content, or what a link says."""
    found: dict[str, tuple[int, int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        if path.is_symlink():
            found[str(path.relative_to(folder))] = (0, 0, os.readlink(path))
        elif path.is_dir():
            found[str(path.relative_to(folder))] = (about.st_mode, 0, "folder")
        elif path.is_file():
            found[str(path.relative_to(folder))] = (about.st_mode, about.st_mtime_ns, path.read_bytes())
    return found


def test_what_is_copied_is_what_is_here(
    service: Running, area: Path, here: Path, done_by: Callable[[str, Work], None]
) -> None:
    (here / "my notes.txt").write_text("one")
    site = here / "site" / ".inner"
    site.mkdir(parents=True)
    (site / "run").write_text("#!/bin/sh\n")
    (site / "run").chmod(0o775)
    (site / "shut").write_text("x")
    (site / "shut").chmod(0o440)
    site.chmod(0o755)
    (site / "away").symlink_to("/etc/hostname")
    os.mkfifo(here / "site" / "pipe")
    (here / "named").symlink_to("my notes.txt")
    seen: list[Any] = []

    def copy(*, files: list[str], **_: Any) -> dict[str, Any]:
        seen.append({Path(file).name: tree(Path(file)) or Path(file).read_bytes() for file in files})
        return {"copies": [], "left_out": [], "files": list(files)}

    done_by("copy", copy)
    there, told = service.remote("admin"), list[Event]()
    report = there.run(there.copy(["my notes.txt", "site/", "named"], hosts="red", on_event=told.append))
    assert seen == [{"my notes.txt": b"one", "site": tree(here / "site"), "named": b"one"}]
    assert report.data["files"] == ["my notes.txt", "site/", "named"]
    assert report.data["left_out"] == [str(here / "site" / "pipe")]
    assert "'my notes.txt', 'site/', 'named'" in str(told[-1])
    assert "luggage" not in str(told)
    assert names(area) == []


def test_the_verb_itself_has_them(service: Running, area: Path, here: Path) -> None:
    (here / "notes.txt").write_text("one")
    there = service.remote("admin")
    report = there.run(there.copy(["notes.txt"], hosts="red", port=9))
    assert [host.failure.error for host in report.hosts.values() if host.failure] == ["Unreachable"]
    assert names(area) == []


def test_what_was_fetched_comes_home(
    service: Running, area: Path, here: Path, done_by: Callable[[str, Work], None]
) -> None:
    def fetch(*, into: str, **_: Any) -> dict[str, Any]:
        folder = Path(into, "red01", "slurm")
        folder.mkdir(parents=True)
        (folder / "slurm.conf").write_text("x" * 1_000_000)
        (folder / "slurm.conf").chmod(0o640)
        (folder / "away").symlink_to("/etc/hostname")
        return {"fetched": [{"host": "red01", "folder": f"{into}/red01"}]}

    done_by("fetch", fetch)
    (here / "logs" / "red02").mkdir(parents=True)
    there = service.remote("admin")
    report = there.run(there.fetch(["/etc/slurm"], into="logs", hosts="red"))
    assert report.data["fetched"][0]["folder"] == "logs/red01"
    found = here / "logs" / "red01" / "slurm"
    assert (found / "slurm.conf").read_text() == "x" * 1_000_000
    assert stat.S_IMODE((found / "slurm.conf").stat().st_mode) == 0o640
    assert os.readlink(found / "away") == "/etc/hostname"
    assert sorted(path.name for path in (here / "logs").iterdir()) == ["red01", "red02"]
    assert names(area) == []


def test_no_link_here_is_written_through(
    service: Running, here: Path, tmp_path: Path, done_by: Callable[[str, Work], None]
) -> None:
    def fetch(*, into: str, **_: Any) -> dict[str, Any]:
        Path(into, "red01").mkdir(parents=True)
        Path(into, "red01", "notes").write_text("x")
        return {}

    done_by("fetch", fetch)
    (tmp_path / "elsewhere").mkdir()
    (here / "red01").symlink_to(tmp_path / "elsewhere")
    there = service.remote("admin")
    with pytest.raises(UsageError, match="reaches out of its folder"):
        there.run(there.fetch(["/notes"], hosts="red"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_where_nothing_was_fetched_nothing_comes(service: Running, area: Path, here: Path) -> None:
    there = service.remote("admin")
    report = there.run(there.fetch(["/etc/slurm"], into="logs", hosts="red", port=9))
    assert not report.ok
    assert names(area) == []


@pytest.fixture
def backed_up(done_by: Callable[[str, Work], None]) -> None:
    """A service that can be backed up."""

    def backup(*, to: str, **_: Any) -> dict[str, Any]:
        Path(to).write_text("keys")
        return {"file": to, "size": 4}

    done_by("backup", backup)
    api.hosts_add("red", cluster="red")


def test_a_backup_comes_home_for_its_owner_alone(service: Running, area: Path, here: Path, backed_up: None) -> None:
    there = service.remote("admin")
    report = there.run(there.backup("kubernetes"))
    (file,) = here.iterdir()
    assert report.data == {"file": str(file.name), "size": 4}
    assert file.name.startswith("red-kubernetes-20")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("keys", 0o600)
    there.run(there.backup("kubernetes", to="mine"))
    with pytest.raises(UsageError, match="mine is there already"):
        there.run(there.backup("kubernetes", to="mine"))
    with pytest.raises(UsageError, match="there is no folder"):
        there.run(there.backup("kubernetes", to="none/mine"))
    assert len(service.jobs()) == 2
    assert names(area) == []


def test_who_may_not_have_it_is_told_before_it_is_made(service: Running, here: Path, backed_up: None) -> None:
    there = service.remote("operator")
    with pytest.raises(UsageError, match="needs the role admin") as refused:
        there.run(there.backup("kubernetes"))
    assert "has the keys of kubernetes in it" in refused.value.why
    assert "ask an admin to run the same; nothing was done" in refused.value.hint
    (here / "notes.txt").write_text("one")
    with pytest.raises(UsageError, match="needs the role admin"):
        there.run(there.copy(["notes.txt"], hosts="red"))
    there = service.remote("viewer")
    with pytest.raises(UsageError, match="needs the role operator"):
        there.run(there.images_load(["notes.txt"], hosts="red"))
    assert service.jobs() == []


@pytest.fixture
def artifact(tmp_path: Path) -> str:
    """Something that is kept."""
    (tmp_path / "one").write_bytes(b"the first")
    made = Artifact(name="some/one", version="1", architecture="arm64", source=Given())
    kept().add(made, tmp_path / "one")
    return "some/one"


def test_artifacts_are_carried_by_way_of_here(service: Running, area: Path, here: Path, artifact: str) -> None:
    there = service.remote("admin")
    assert [one.name for one in there.run(there.artifacts_export("all.tar"))] == [artifact]
    api.run(api.artifacts_clean())
    assert [one.name for one in there.run(there.artifacts_import("all.tar"))] == [artifact]
    assert [one.name for one in api.run(api.artifacts_list())] == [artifact]
    with pytest.raises(UsageError, match=r"^all.tar is there already"):
        there.run(there.artifacts_export("all.tar"))
    assert names(area) == []


def test_an_image_is_built_from_what_is_here(
    service: Running, area: Path, here: Path, done_by: Callable[[str, Work], None]
) -> None:
    app = here / "app"
    (app / "deep").mkdir(parents=True)
    (app / "deep" / "Mine").write_text("FROM scratch\n")
    (app / "main.py").write_text("pass\n")
    (app / "twice.py").hardlink_to(app / "main.py")
    (app / "large").write_text("no")
    (app / ".dockerignore").write_text("large\ndeep\n")
    seen: list[Any] = []

    def images_build(*, folder: str, file: str, **_: Any) -> dict[str, Any]:
        seen.append((sorted(tree(Path(folder))), Path(file).read_text(), Path(folder, "twice.py").read_text()))
        return {}

    done_by("images_build", images_build)
    there = service.remote()
    for file in ("deep/Mine", "app/deep/Mine"):
        there.run(there.images_build("app", tag="app:1", file=file, hosts="red"))
    assert seen == [([".dockerignore", "deep", "deep/Mine", "main.py", "twice.py"], "FROM scratch\n", "pass\n")] * 2
    (here / "Other").write_text("FROM scratch\n")
    with pytest.raises(UsageError, match="Other is not in app"):
        there.run(there.images_build("app", tag="app:1", file="Other", hosts="red"))
    assert names(area) == []


def test_standard_input_goes_along(
    service: Running,
    area: Path,
    here: Path,
    done_by: Callable[[str, Work], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []

    def images_load(*, files: list[str], **_: Any) -> dict[str, Any]:
        seen.extend(Path(file).read_bytes() for file in files)
        return {}

    done_by("images_load", images_load)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 1_000_000)))
    (here / "app.tar").write_text("y")
    there = service.remote()
    there.run(there.images_load(["-", "app.tar"], hosts="red"))
    assert seen == [b"x" * 1_000_000, b"y"]
    assert names(area) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda verbs: verbs.copy(["none"], hosts="red"),
        lambda verbs: verbs.copy(["a/x", "b/x"], hosts="red"),
        lambda verbs: verbs.copy([], hosts="red"),
        lambda verbs: verbs.artifacts_import("none"),
        lambda verbs: verbs.artifacts_import("a/x"),
        lambda verbs: verbs.images_build("none", tag="app:1", hosts="red"),
        lambda verbs: verbs.images_build("a", tag="app:1", hosts="red"),
        lambda verbs: verbs.images_load(["none"], hosts="red"),
        lambda verbs: verbs.restore("kubernetes", "none", hosts="red"),
        lambda verbs: verbs.restore("kubernetes", "a/x", hosts="red"),
        lambda verbs: verbs.artifacts_export("a/x"),
    ],
)
def test_a_mistake_is_told_in_the_same_words(
    service: Running, area: Path, here: Path, call: Callable[[Any], Any], artifact: str
) -> None:
    for folder in ("a", "b"):
        (here / folder).mkdir()
        (here / folder / "x").write_text("no archive")
    there = service.remote("admin")
    with pytest.raises(BrambleError) as local:
        api.run(call(api))
    with pytest.raises(BrambleError) as remote:
        there.run(call(there))
    assert type(remote.value) is type(local.value)
    assert (remote.value.what, remote.value.why) == (local.value.what, local.value.why)
    assert names(area) == []


def test_what_is_too_large_is_refused(
    service: Running, area: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Files, "largest", property(lambda _: 100_000, lambda *_: None), raising=False)
    (here / "large").write_bytes(os.urandom(3_000_000))
    there = service.remote("admin")
    service.stop()
    service.start()
    for call in (there.artifacts_import("large"), there.copy(["large"], hosts="red")):
        with pytest.raises(UsageError, match=r"^large is larger than 100.0 kB"):
            there.run(call)
    assert names(area) == []


def test_nothing_stays_when_the_verb_fails(
    service: Running, area: Path, here: Path, done_by: Callable[[str, Work], None]
) -> None:
    def copy(*, files: list[str], **_: Any) -> Any:
        raise BrambleError(f"{files[0]} is odd", why=f"of {files[0]}")

    done_by("copy", copy)
    (here / "notes.txt").write_text("one")
    there = service.remote("admin")
    with pytest.raises(BrambleError) as failed:
        there.run(there.copy(["./notes.txt"], hosts="red"))
    assert (failed.value.what, failed.value.why) == ("./notes.txt is odd", "of ./notes.txt")
    assert names(area) == []


def test_what_has_to_stay_is_told(
    service: Running, area: Path, here: Path, proxy: Proxy, done_by: Callable[[str, Work], None]
) -> None:
    async def copy(**_: Any) -> dict[str, Any]:
        proxy.close()
        await asyncio.sleep(1)
        return {}

    done_by("copy", copy)
    (here / "notes.txt").write_text("one")
    there, seen = service.remote("admin", url=proxy.url, pauses=(0.05, 0.05)), list[Event]()
    with pytest.raises(BrambleError):
        there.run(there.copy(["notes.txt"], hosts="red", on_event=seen.append))
    (left,) = names(area)
    assert str(seen[-1]).count(f"{left} stays among the files of {proxy.url}") == 1


async def test_nothing_stays_after_an_interrupt(
    service: Running, area: Path, here: Path, done_by: Callable[[str, Work], None]
) -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def copy(**_: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        await asyncio.sleep(60)

    done_by("copy", copy)
    (here / "notes.txt").write_text("one")
    copying = asyncio.ensure_future(service.remote("admin").copy(["notes.txt"], hosts="red"))
    await begun.wait()
    assert [name.partition("-")[0] for name in names(area)] == ["luggage"]
    copying.cancel()
    with pytest.raises(Interrupted):
        await copying
    assert names(area) == []


async def test_an_interrupt_on_the_way_there_leaves_nothing(service: Running, area: Path, here: Path) -> None:
    (here / "folder").mkdir()
    with (here / "folder" / "large").open("wb") as large:
        large.truncate(2 * 2**30)
    copying = asyncio.ensure_future(service.remote("admin").copy(["folder"], hosts="red"))
    while not names(area):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    copying.cancel()
    with pytest.raises(Interrupted, match="on their way"):
        await copying
    while names(area):  # noqa: ASYNC110  (the service notes that nobody sends any more)
        await asyncio.sleep(0.01)
    assert service.jobs() == []


def test_a_cut_on_the_way_there_is_tried_again(
    service: Running, area: Path, here: Path, proxy: Proxy, done_by: Callable[[str, Work], None]
) -> None:
    seen: list[int] = []

    def copy(*, files: list[str], **_: Any) -> dict[str, Any]:
        seen.append(Path(files[0], "large").stat().st_size)
        return {}

    done_by("copy", copy)
    (here / "folder").mkdir()
    with (here / "folder" / "large").open("wb") as large:
        large.truncate(200_000_000)
    there = service.remote("admin", url=proxy.url)

    async def work() -> Report:
        copying = asyncio.ensure_future(there.copy(["folder"], hosts="red"))
        while not names(area):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        proxy.cut()
        found: Report = await copying
        return found

    assert asyncio.run(work()).ok
    assert seen == [200_000_000]
    assert names(area) == []


def test_cards_are_written_where_their_reader_is(service: Running) -> None:
    there = service.remote("admin")
    with pytest.raises(UsageError, match="where their reader is") as refused:
        there.run(there.cards_burn(hosts="red"))
    assert "without --server" in refused.value.hint
