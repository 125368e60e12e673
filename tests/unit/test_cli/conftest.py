"""The command line as a test calls it: words in, exit code and output back."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.unit.test_cli.support import Cli, Ended, Recorded

from bramble.cli import bramble
from bramble.cli.complaint import guarded
from bramble.runner import events
from bramble.runner.events import Event

_RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns, without the wishes of the person who runs the tests."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "BRAMBLE_DEBUG", "BRAMBLE_SUDO_PASSWORD", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in this process; standard output and error are no terminals."""

    def call(*words: str) -> Ended:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["bramble", *words])
        code = guarded(lambda: bramble.main(list(words), prog_name="bramble", standalone_mode=False))
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return call


@pytest.fixture
def recorded() -> Recorded:
    """The events of a run on real hosts, by name."""

    def load(name: str) -> list[Event]:
        lines = (_RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [events.from_json(json.loads(line)) for line in lines]

    return load
