"""What the make targets say where they cannot go on: at once, with the command to run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("bash", "env", "dirname", "cat", "sha256sum", "cut", "mkdir", "rm", "uname")


@pytest.fixture
def bin(tmp_path: Path) -> Path:
    """A PATH with next to nothing on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or "")
    return folder


@pytest.fixture
def program(bin: Path) -> Callable[[str, str], None]:
    def make(name: str, body: str) -> None:
        (bin / name).unlink(missing_ok=True)
        (bin / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
        (bin / name).chmod(0o755)

    return make


def run(bin: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": str(bin), "LOG": str(bin / "log")}
    return subprocess.run([str(ROOT / argv[0]), *argv[1:]], env=env, capture_output=True, text=True, timeout=60)


PROGRAM = Callable[[str, str], None]


def test_virtual_pis_without_linux(bin: Path, program: PROGRAM) -> None:
    program("uname", "echo Darwin")
    done = run(bin, "scripts/install-system-packages")
    assert done.returncode == 2
    assert "need Linux; this is Darwin" in done.stderr
    assert "make lint unit docs" in done.stderr


def test_virtual_pis_without_root(bin: Path, program: PROGRAM) -> None:
    program("id", "echo 1000")
    program("dpkg-query", '[ "${@: -1}" = debootstrap ] || echo "install ok installed"')
    done = run(bin, "scripts/install-system-packages")
    assert done.returncode == 2
    assert "need root" in done.stderr
    assert "install these Debian packages: debootstrap\n" in done.stderr


def test_missing_packages_are_named_and_installed(bin: Path, program: PROGRAM) -> None:
    program("id", "echo 0")
    program("dpkg-query", '[ "${@: -1}" = nftables ] || echo "install ok installed"')
    program("apt-get", 'echo "$DEBIAN_FRONTEND $@" >>"$LOG"')
    done = run(bin, "scripts/install-system-packages")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "installing Debian packages: nftables\n"
    (asked,) = (bin / "log").read_text().splitlines()
    assert asked.startswith("noninteractive ")
    assert asked.endswith("install --yes --no-install-recommends nftables")


def test_a_demonstration_needs_no_emulator(bin: Path, program: PROGRAM) -> None:
    program("id", "echo 0")
    program("dpkg-query", 'case "${@: -1}" in qemu*) ;; *) echo "install ok installed" ;; esac')
    program("apt-get", "")
    said = [run(bin, "scripts/install-system-packages", *words).stderr for words in ((), ("tests",))]
    assert said == ["", "installing Debian packages: qemu-system-arm\n"]


def test_the_index_is_read_only_where_a_package_is_unknown(bin: Path, program: PROGRAM) -> None:
    program("apt-get", 'echo "${@: -1}" >>"$LOG"; [ "${@: -1}" != nftables ] || [ "$(wc -l <"$LOG")" -gt 1 ]')
    (bin / "wc").symlink_to(shutil.which("wc") or "")
    assert run(bin, "scripts/apt-install", "nftables").returncode == 0
    assert (bin / "log").read_text().split() == ["nftables", "update", "nftables"]


def test_packages_that_cannot_be_installed_are_a_failure(bin: Path, program: PROGRAM) -> None:
    program("id", "echo 0")
    program("dpkg-query", "exit 1")
    program("apt-get", "echo 'E: no such mirror' >&2; exit 100")
    done = run(bin, "scripts/install-system-packages")
    assert done.returncode == 100
    assert "E: no such mirror" in done.stderr


def test_all_there_says_nothing(bin: Path, program: PROGRAM) -> None:
    program("id", "echo 0")
    program("dpkg-query", "echo install ok installed")
    done = run(bin, "scripts/install-system-packages")
    assert (done.returncode, done.stderr) == (0, "")


def test_no_python_and_no_root(bin: Path, program: PROGRAM, tmp_path: Path) -> None:
    program("id", "echo 1000")
    program("apt-get", "exit 1")
    done = run(bin, "scripts/make-env", str(tmp_path / "venv"), "requirements/dev.txt")
    assert done.returncode == 2
    assert "sudo apt-get install python3.11 python3.11-venv" in done.stderr


def test_python_without_venv_and_no_root(bin: Path, program: PROGRAM, tmp_path: Path) -> None:
    program("id", "echo 1000")
    program("apt-get", "exit 1")
    program("python3", '[[ "$2" != *ensurepip* ]]')
    done = run(bin, "scripts/make-env", str(tmp_path / "venv"), "requirements/dev.txt")
    assert done.returncode == 2
    assert "sudo apt-get install python3-venv\n" in done.stderr


def test_no_python_and_no_apt(bin: Path, tmp_path: Path) -> None:
    done = run(bin, "scripts/make-env", str(tmp_path / "venv"), "requirements/dev.txt")
    assert done.returncode == 2
    assert "make env PYTHON=" in done.stderr


def test_an_environment_is_built_once(bin: Path, program: PROGRAM, tmp_path: Path) -> None:
    program("made", 'echo "$@" >>"$LOG"')
    made = f'mkdir -p "$4/bin"; cat {bin}/made >"$4/bin/python"; chmod +x "$4/bin/python"'
    program("python3", f'case "$*" in *ensurepip*) ;; -V) echo Python 3.12.0 ;; *"-m venv"*) {made} ;; esac')
    (bin / "chmod").symlink_to(shutil.which("chmod") or "")
    venv = str(tmp_path / "venv")
    done = run(bin, "scripts/make-env", venv, "requirements/dev.txt")
    assert done.returncode == 0, done.stderr
    assert "building" in done.stderr
    packages, bramble = [line for line in (bin / "log").read_text().splitlines() if "pip install" in line]
    assert packages.endswith("--require-hashes --requirement requirements/dev.txt")
    assert bramble.endswith("--no-deps --no-build-isolation --editable .")
    again = run(bin, "scripts/make-env", venv, "requirements/dev.txt")
    assert (again.returncode, again.stderr) == (0, "")
    other = run(bin, "scripts/make-env", venv, "requirements/runtime.txt")
    assert "building" not in other.stderr, "what is there is kept"
    assert "installing what requirements/runtime.txt pins" in other.stderr


def test_locks_name_no_registry_and_pin_by_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text, path
        assert not any(line.startswith("-") for line in text.splitlines()), path
        pins = text.replace("\\\n", "").splitlines()
        assert pins
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pins), path
