"""The adapter for cloudmesh, with a stub of the one interface of cloudmesh that it uses."""

from __future__ import annotations

import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import Any

import click
import pytest

from bramble.cli import bramble
from bramble.cli.lazy import LazyGroup

FOLDER = Path(__file__).parents[3] / "adapters" / "cms"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plugin's module; the stub hands words on as cms does, but does not check them against the usage."""
    stub = types.ModuleType("cloudmesh.shell.command")
    stub.PluginCommand = object  # type: ignore[attr-defined]
    stub.command = lambda method: lambda self, args: method(self, args, {})  # type: ignore[attr-defined]
    for name in ("cloudmesh", "cloudmesh.shell"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "cloudmesh.shell.command", stub)
    file = FOLDER / "cloudmesh" / "pi" / "command" / "pi.py"
    spec = importlib.util.spec_from_file_location("cms_pi", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_words_go_on_as_they_were_typed(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[list[str]] = []

    def hand_on(words: list[str]) -> int:
        handed.append(words)
        return 0

    monkeypatch.setattr(plugin, "hand_on", hand_on)
    plugin.PiCommand().do_pi('cluster deploy slurm --hosts "red,red[01-red02]" --set "a=b c"')
    assert handed == [["deploy", "slurm", "--hosts", "red,red[01-red02]", "--set", "a=b c"]]


def test_bramble_really_runs(plugin: Any, capfd: pytest.CaptureFixture[str]) -> None:
    plugin.PiCommand().do_pi('cluster hosts expand "red,red[01-red02]"')
    said = capfd.readouterr()
    assert (said.out, said.err) == ("red\nred01\nred02\n", "")


def test_an_exit_code_is_told_because_cms_loses_it(plugin: Any, capfd: pytest.CaptureFixture[str]) -> None:
    plugin.PiCommand().do_pi("cluster deploy slrum")
    assert capfd.readouterr().err.endswith("bramble ended with exit code 2; cms itself does not pass it on\n")


def test_the_namespace_stays_everybodys() -> None:
    assert not (FOLDER / "cloudmesh" / "__init__.py").exists()


def test_usage_names_commands_and_options_that_bramble_has() -> None:
    text = (FOLDER / "cloudmesh" / "pi" / "command" / "pi.py").read_text(encoding="utf-8")
    usage = text.split("Usage:")[1].split("\n\n")[0].replace("\n                              ", " ")
    lines = [line.split() for line in usage.splitlines() if line.strip()]
    assert len(lines) >= 8
    for words in lines:
        assert words[:2] == ["pi", "cluster"]
        command: click.Command | None = bramble
        rest = words[2:]
        while isinstance(command, LazyGroup):
            name = rest.pop(0).strip("[]") if rest else command.default
            command = command.get_command(click.Context(command), name)
        assert command is not None, words
        known = {option for parameter in command.params for option in parameter.opts}
        used = set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", " ".join(rest)))
        assert used <= known, words
