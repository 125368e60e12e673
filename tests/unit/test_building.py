"""Images are built by what is there, here and on a host, and what the builder says is told; a played one says it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from bramble.connection import Channel, Settings, connect
from bramble.engine.images import Builder
from bramble.engine.images.context import recipe
from bramble.engine.session import start
from bramble.errors import BrambleError
from bramble.model import Host

#: Notes what it was asked; "builds" what is in the folder, into an archive that holds nothing else.
PLAYED = """#!/bin/sh
echo "$(basename "$0") $*" >>"$PLAYED_LOG"
case "$*" in
--version | version) exit "${PLAYED_VERSION:-0}" ;;
*" build "* | "build "*)
    echo "STEP 1: FROM scratch"
    if [ -n "$PLAYED_FAULT" ]; then echo "$PLAYED_FAULT" >&2; exit 125; fi
    for folder; do :; done
    ls -A "$folder" | tr '\\n' ' ' >"$PLAYED_LOG.built" ;;
*oci-archive*)
    for out; do :; done
    [ "$1" != save ] || out=$6
    cp "$PLAYED_LOG.built" "${out#oci-archive:}" ;;
esac
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with the few programs that are needed, and with a folder for builders."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    for name in ("sh", "unshare", "basename", "id", "ls", "tr", "cp"):
        (folder / name).symlink_to(shutil.which(name) or pytest.fail(f"there is no {name} here"))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYED_LOG", str(tmp_path / "log"))
    return folder


def install(tools: Path, *names: str) -> None:
    for name in names:
        (tools / name).write_text(PLAYED)
        (tools / name).chmod(0o755)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    for name in ("Containerfile", "app", "secret"):
        (folder / name).write_text(name)
    (folder / ".dockerignore").write_text("secret\n")
    return folder


def built(app: Path, host: str = "", architecture: str = "arm64", fresh: bool = False) -> tuple[str, list[str]]:
    """What the archive holds in the end, and what was said."""
    said: list[str] = []

    async def work() -> str:
        connection = await connect(Host(name="here"), Settings(local=frozenset(["here"])))

        async def opened() -> Channel:
            return (await start(connection, "building", sudo=False))[0]

        async with connection:
            builder = Builder(host, opened)
            assert await builder.look()
            out = app.parent / "out.tar"
            arguments = {"WHO": "me and you"}
            folder, text = recipe(app)
            await builder.build(
                folder, text, "library/app:1", architecture, arguments, out, fresh=fresh, tell=said.append
            )
            return out.read_text()

    return asyncio.run(work()), said


def asked(tools: Path) -> list[str]:
    return (tools.parent / "log").read_text().splitlines()


def test_the_folder_is_built_from_where_it_is(tools: Path, app: Path) -> None:
    install(tools, "buildah", "podman", "docker")
    content, said = built(app)
    assert set(content.split()) == {"Containerfile", ".dockerignore", "app", "secret"}
    assert "STEP 1: FROM scratch" in said
    (line,) = (line for line in asked(tools) if " build " in f" {line}")
    for words in ("buildah", "--platform linux/arm64", "--build-arg=WHO=me and you", "--timestamp 0", "/library/app:1"):
        assert words in line
    assert "--no-cache" not in line and "--root" not in line


def test_a_host_gets_the_folder_but_not_what_is_ignored(tools: Path, app: Path) -> None:
    install(tools, "buildah")
    content, said = built(app, host="red", architecture="armhf", fresh=True)
    assert set(content.split()) == {"Containerfile", ".dockerignore", "app"}
    assert any("MB go to red" in line for line in said)
    (line,) = (line for line in asked(tools) if " build " in f" {line}")
    assert "--platform linux/arm/v7" in line and "--no-cache" in line
    if os.getuid() == 0:
        assert "--root /var/lib/bramble/build" in line
    assert not list(Path("/var/tmp").glob("bramble-build-*/context/app"))


def test_the_first_that_works_is_taken(tools: Path, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tools, "podman")
    built(app)
    assert any(line.startswith("podman ") and " save " in f" {line} " for line in asked(tools))


def test_without_a_runtime_it_runs_the_steps_itself(tools: Path, app: Path) -> None:
    install(tools, "buildah")
    built(app)
    install(tools, "runc")
    built(app)
    first, second = (line for line in asked(tools) if " build " in f" {line}")
    assert "--isolation chroot" in first and "--isolation" not in second


@pytest.mark.parametrize(
    ("fault", "hint"), [("COPY: no such file", ""), ("exec /bin/sh: exec format error", "qemu-user-static")]
)
def test_what_the_builder_said_goes_along(
    fault: str, hint: str, tools: Path, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tools, "buildah")
    monkeypatch.setenv("PLAYED_FAULT", fault)
    # One that no machine that runs this is likely to play.
    with pytest.raises(BrambleError, match="buildah could not build it") as failed:
        built(app, architecture="riscv64")
    assert failed.value.why.endswith(fault) and hint in failed.value.hint


def test_where_overlays_cannot_be_files_are_copied(tools: Path, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tools, "buildah")
    monkeypatch.setenv("PLAYED_FAULT", "'overlay' is not supported over overlayfs, a mount_program is required")
    with pytest.raises(BrambleError):
        built(app)
    first, second = (line for line in asked(tools) if " build " in f" {line}")
    assert "--storage-driver" not in first and "--storage-driver vfs" in second
