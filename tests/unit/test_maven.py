"""Java libraries by a played Maven client: checked one by one, packed alike everywhere, and nothing of a wrong one."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bramble.artifact import Artifact, MavenTree
from bramble.engine.artifacts import Fetcher, Store
from bramble.errors import BrambleError

#: Plays Maven: notes what it was asked and where, and copies the libraries that it is given to play with.
MVN = """#!/bin/sh
echo "$*" >>"$PLAYED/log"
cat pom.xml >>"$PLAYED/log"
[ -z "$PLAYED_HANG" ] || { touch "$PLAYED/hangs"; sleep 60 & echo $! >"$PLAYED/child"; wait; }
for word in "$@"; do case $word in -DoutputDirectory=*) out=${word#*=} ;; esac; done
mkdir -p "$out"
for jar in "$PLAYED"/jars/*; do
    echo "[INFO] Downloaded from central: https://example.invalid/a/${jar##*/} (1 kB at 2 kB/s)"
    cp "$jar" "$out"
done
[ -n "$PLAYED_FAULT" ] || exit 0
printf '[INFO] so far\\n[ERROR] %s\\n[ERROR] \\n[ERROR] use -X\\n' "$PLAYED_FAULT"
exit 1
"""


def jar(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, text in members.items():
            packed.writestr(name.replace("__", "/"), text)
    return made.getvalue()


JARS = {
    "one-1.jar": jar(Main="one"),
    "two-2.jar": jar(Main="two"),
    "web-1.jar": jar(webapps__index="hello", webapps__deep__er="er", Main="not wanted"),
}


@pytest.fixture
def mvn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Maven client that plays along: its log, and the libraries it brings."""
    tool = tmp_path / "tools" / "mvn"
    tool.parent.mkdir()
    tool.write_text(MVN)
    tool.chmod(0o755)
    (tmp_path / "jars").mkdir()
    for name, content in JARS.items():
        (tmp_path / "jars" / name).write_bytes(content)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED", str(tmp_path))
    return tmp_path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def sums(jars: dict[str, bytes]) -> str:
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in jars.items())


def tree(**changes: Any) -> Artifact:
    given: dict[str, Any] = {
        "pom": "<project/>\n",
        "sums": sums(JARS),
        "apart": (("two-2.jar", "examples"),),
        "unpacked": (("web-1.jar", ("webapps", "web/webapps")),),
        "files": (("bin/say", "#!/bin/sh\n"), ("etc/x.xml", "<x/>\n")),
    }
    return Artifact(name="one/tree", version="1", architecture="all", source=MavenTree(**(given | changes)))


def fetched(store: Store, artifact: Artifact, said: list[str] | None = None) -> Path:
    def tell(_: Artifact, text: str) -> None:
        if said is not None:
            said.append(text)

    (found,) = asyncio.run(Fetcher(store, tell).fetch([artifact])).values()
    return store.path(found.sha256)


def _until_written(file: Path) -> None:
    deadline = time.monotonic() + 10
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline, f"{file} was not written"
        time.sleep(0.01)


def _lives(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def nothing_is_kept(store: Store) -> bool:
    return not store.all() and not list((store.folder / "work").iterdir())


def test_libraries_and_files_become_one_tree(store: Store, mvn: Path) -> None:
    said: list[str] = []
    with tarfile.open(fetched(store, tree(), said)) as tar:
        entries = {entry.name: entry for entry in tar}
        files = {name: entry for name, entry in entries.items() if entry.isfile()}
        contents = {name: tar.extractfile(entry).read() for name, entry in files.items()}  # type: ignore[union-attr]
    assert contents == {
        "bin/say": b"#!/bin/sh\n",
        "etc/x.xml": b"<x/>\n",
        "examples/two-2.jar": JARS["two-2.jar"],
        "lib/one-1.jar": JARS["one-1.jar"],
        "web/webapps/deep/er": b"er",
        "web/webapps/index": b"hello",
    }
    assert {name for name, entry in files.items() if entry.mode & 0o111} == {"bin/say"}
    assert {entry.mtime for entry in entries.values()} == {0} and {entry.uid for entry in entries.values()} == {0}
    assert list(entries) == sorted(entries), "folders come before what is in them"
    assert said == [
        "fetches 3 libraries with Maven",
        *(f"downloading {number} of up to 3: {name}" for number, name in enumerate(JARS, 1)),
        "each library is what it must be; packs them",
    ]


def test_it_is_the_same_to_the_byte_and_fetched_once(store: Store, mvn: Path, tmp_path: Path) -> None:
    first = fetched(store, tree())
    asked = (mvn / "log").read_text()
    assert "--batch-mode" in asked and "<project/>" in asked
    assert fetched(store, tree()) == first and (mvn / "log").read_text() == asked
    assert fetched(Store(tmp_path / "other"), tree()).name == first.name


@pytest.mark.parametrize("wrong", ["changed", "missing", "unknown"])
def test_a_wrong_library_stops_everything(wrong: str, store: Store, mvn: Path) -> None:
    if wrong == "changed":
        (mvn / "jars" / "one-1.jar").write_bytes(b"something else")
        found = hashlib.sha256(b"something else").hexdigest()
        why = f"the SHA-256 of one-1.jar is {found}, and must be {hashlib.sha256(JARS['one-1.jar']).hexdigest()}"
    elif wrong == "missing":
        (mvn / "jars" / "one-1.jar").unlink()
        why = "one-1.jar did not come"
    else:
        (mvn / "jars" / "new-1.jar").write_bytes(b"")
        why = "new-1.jar came, and nothing says what it must be"
    with pytest.raises(BrambleError, match="nothing was touched") as error:
        fetched(store, tree())
    assert error.value.why == why and "one/tree 1 (all)" in error.value.what
    assert nothing_is_kept(store)


def test_many_wrong_ones_are_not_all_named(store: Store, mvn: Path) -> None:
    with pytest.raises(BrambleError) as error:
        fetched(store, tree(sums=sums({**JARS, **{f"no-{number}.jar": b"" for number in range(7)}})))
    assert error.value.why.splitlines()[-1] == "and 2 more"


def test_what_maven_said_is_told(store: Store, mvn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYED_FAULT", "Could not resolve dependencies: one:one:jar:1 was not found")
    with pytest.raises(BrambleError, match="Maven could not") as error:
        fetched(store, tree())
    assert error.value.why == "Could not resolve dependencies: one:one:jar:1 was not found"
    assert "settings.xml" in error.value.hint and "artifacts import" in error.value.hint
    assert nothing_is_kept(store)


def test_without_maven_it_says_where_to_get_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BrambleError, match="no Maven") as error:
        fetched(store, tree())
    assert "apt install maven" in error.value.hint
    assert nothing_is_kept(store)


def test_interrupted_nothing_is_left_and_maven_ends(store: Store, mvn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYED_HANG", "yes")

    async def interrupted() -> None:
        run = asyncio.create_task(Fetcher(store, lambda *_: None).fetch([tree()]))
        await asyncio.to_thread(_until_written, mvn / "child")
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(interrupted())
    # It was told to end together with Maven, and Maven alone was waited for.
    child = Path("/proc", (mvn / "child").read_text().strip(), "stat")
    deadline = time.monotonic() + 10
    while _lives(child):
        assert time.monotonic() < deadline, "what Maven started runs on"
        time.sleep(0.01)
    assert nothing_is_kept(store)
    monkeypatch.delenv("PLAYED_HANG")
    assert fetched(store, tree()).exists()


@pytest.mark.parametrize(
    "mistake",
    [
        {"sums": "not a hash  one-1.jar\n"},
        {"sums": f"{'0' * 64}  ../one-1.jar\n", "apart": (), "unpacked": ()},
        {"apart": (("three-3.jar", "examples"),)},
    ],
)
def test_mistakes_of_the_catalogue_are_told(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="hash"):
        tree(**mistake)
