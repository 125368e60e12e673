"""The house rules that a program can check: arrows between rooms, size and names of files."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/bramble"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def rooms_of(contract: str) -> list[str]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c for c in config["contracts"] if c["id"] == contract)["layers"]
    return [room.strip(" ()").removeprefix("bramble.") for layer in layers for room in layer.split(":")]


def test_every_room_has_its_place_in_the_table() -> None:
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - {"__init__", "__main__"} <= set(rooms_of("rooms"))


@pytest.mark.parametrize(
    ("module", "wrong"),
    [
        ("", ""),
        ("model", "from bramble import inventory"),
        ("inventory", "from bramble.connection import connect"),
        ("engine", "import bramble.services"),
        ("api", "def f():\n    import bramble.cli"),
        ("runner/steps", "import bramble.errors"),
        ("runner/steps", "import rich"),
        ("services/one", "from bramble.services import two"),
        ("engine", "import asyncssh"),
    ],
)
def test_a_wrong_arrow_is_found(tmp_path: Path, module: str, wrong: str) -> None:
    """On a house without furniture, under the same contracts: `make lint` holds them over the real one."""
    rooms = [room for room in rooms_of("rooms") if room not in ("cards", "client")]
    for place in ("", *rooms, "runner/steps", "services/one", "services/two"):
        folder = tmp_path / "bramble" / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(wrong + "\n" if place == module and wrong else "")
    lint: list[str | Path] = [
        Path(sys.executable).with_name("lint-imports"),
        "--no-cache",
        "--config",
        ROOT / "pyproject.toml",
    ]
    done = subprocess.run(lint, env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode != 0) == bool(wrong), done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_short_and_has_a_name(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "core", "misc"}
