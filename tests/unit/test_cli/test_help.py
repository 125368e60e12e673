"""Help pages: what stands there, that it is true, and that it costs nothing."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.test_cli.support import Cli

from bramble.cli import bramble
from bramble.cli.lazy import Command, LazyGroup


def _walk(group: LazyGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, LazyGroup):
            yield from _walk(command, (*path, name))


COMMANDS = dict(_walk(bramble))
LEAVES = {path: command for path, command in COMMANDS.items() if isinstance(command, Command)}


def _name(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else ""


@pytest.mark.parametrize("path", [(), *COMMANDS], ids=_name)
def test_help_page(path: tuple[str, ...], cli: Cli, snapshot: SnapshotAssertion) -> None:
    ended = cli(*path, "--help")
    assert ended.code == 0
    assert ended.err == ""
    assert max(map(len, ended.out.splitlines())) <= 100
    assert ended.out == snapshot


@pytest.mark.parametrize("path", COMMANDS, ids=_name)
def test_the_list_of_commands_says_what_the_command_itself_says(path: tuple[str, ...]) -> None:
    group = COMMANDS.get(path[:-1], bramble)
    assert isinstance(group, LazyGroup)
    first = (COMMANDS[path].help or "").split("\n\n")[0]
    assert " ".join(first.split()) == group.entries[path[-1]].summary


@pytest.mark.parametrize("path", LEAVES, ids=_name)
def test_examples_are_commands_that_parse(path: tuple[str, ...]) -> None:
    lines = [line for line in LEAVES[path].examples.splitlines() if not line.startswith("#")]
    assert lines, "every command has an example"
    for line in lines:
        words = shlex.split(line)
        _parse(words[words.index("bramble") + 1 : words.index(">") if ">" in words else None])


def _parse(words: list[str]) -> None:
    """Parse a whole line, down to the last command, without running it."""
    context: click.Context = bramble.make_context("bramble", list(words))
    while isinstance(context.command, LazyGroup):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["deploy", "--help"], ["hosts", "--help"]], ids=_name)
def test_help_imports_nothing_slow(words: list[str]) -> None:
    program = (
        "import sys\nfrom bramble.cli import bramble\n"
        f"bramble.main({words!r}, prog_name='bramble', standalone_mode=False)\n"
        "slow = {'rich', 'asyncssh', 'pydantic', 'asyncio', 'ruamel', 'sqlite3', 'platformdirs'} & set(sys.modules)\n"
        "sys.exit(f'imported {sorted(slow)}' if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_words_at_all_show_the_help_page_and_are_a_mistake(cli: Cli) -> None:
    ended = cli()
    assert ended.code == 2
    assert ended.err.startswith("Usage: bramble")
