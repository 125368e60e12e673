"""Completion as a shell asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.test_cli.support import Cli


def _offered(words: str, incomplete: str) -> list[str]:
    """What bash would offer behind these words."""
    line = " ".join(filter(None, ("bramble", words))) + f" {incomplete}"
    environment = {**os.environ, "_BRAMBLE_COMPLETE": "bash_complete", "COMP_WORDS": line, "PATH": os.environ["PATH"]}
    environment["COMP_CWORD"] = str(len(line.split(" ")) - 1)
    done = subprocess.run(
        [sys.executable, "-m", "bramble"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line.split(",", 1)[1] for line in done.stdout.splitlines() if line]


@pytest.fixture
def cluster(cli: Cli) -> None:
    assert cli("hosts", "add", "red,red[01-02]", "--cluster", "red").code == 0


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("words", "incomplete", "offered"),
    [
        ("", "dep", ["deploy"]),
        ("hosts", "ex", ["expand"]),
        ("deploy", "sl", ["slurm"]),
        ("deploy slurm", "--clu", ["--cluster"]),
        ("deploy slurm --cluster", "", ["red"]),
        ("deploy slurm --hosts", "red,red0", ["red,red01", "red,red02"]),
        ("deploy slurm --set", "acc", ["accounting="]),
        ("services", "sl", ["slurm"]),
        ("completion", "z", ["zsh"]),
    ],
)
def test_offered(words: str, incomplete: str, offered: list[str]) -> None:
    assert _offered(words, incomplete) == offered


def test_a_broken_cluster_file_offers_nothing_and_says_nothing(home: Path) -> None:
    folder = home / ".config" / "bramble" / "clusters"
    folder.mkdir(parents=True)
    (folder / "red.yaml").write_text("hosts: [")
    assert _offered("deploy slurm --hosts", "r") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(shell: str, cli: Cli, tmp_path: Path) -> None:
    ended = cli("completion", shell)
    assert ended.code == 0
    assert "_BRAMBLE_COMPLETE" in ended.out
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(ended.out)
        assert subprocess.run([shell, "-n", str(script)], check=False).returncode == 0
