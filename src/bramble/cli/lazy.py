"""Commands whose code is loaded when they run, and help pages that read well.

`bramble --help` lists twelve commands without importing one of them; that is what keeps it quick.
"""

from __future__ import annotations

import importlib
import os
import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

#: Names of the option that shows a help page. Each command has them by itself: click keeps the option that the first
#: context made, and a context made outside of `main` (completion, the manual) would know only the second.
HELP = ("-h", "--help")

#: Set by ``--debug``, and by people: an unexpected error shows its traceback.
DEBUG = "BRAMBLE_DEBUG"


class Option(click.Option):
    """An option that stands under a heading of its own on the help page."""

    def __init__(self, *args: Any, section: str = "Options", **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> Any:
        """What stands in brackets behind the help: nothing, as ranges and defaults are told in words."""
        return {}


def _debug(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        os.environ[DEBUG] = "1"


def debug_option() -> Option:
    """``--debug``, which every command has: people add it to the end of the line that went wrong."""
    return Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_debug,
        section="Output",
        help="On an unexpected error, show where it came from.",
    )


class Command(click.Command):
    """A command whose help page groups its options and ends with examples.

    Parameters
    ----------
    examples
        Lines of a shell, each a whole command or a ``# comment``.
    """

    def __init__(self, *args: Any, examples: str = "", **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.examples = textwrap.dedent(examples).strip()
        self.params.append(debug_option())

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """The same, whatever context asks."""
        return list(HELP)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section, the command's own first."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "section", "Output"), []).append(record)
        sections["Output"] = sections.pop("Output")
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are: a wrapped command line cannot be copied."""
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.examples.splitlines()))


class Entry(NamedTuple):
    """A command that is not loaded yet: ``module:name`` below this package, its heading and its line of help."""

    where: str
    section: str
    summary: str


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads one when it is asked for.

    Parameters
    ----------
    entries
        Name → where the command is and what the list of commands says of it.
    default
        The command that is meant where none is named; without one, the help page is shown.
    """

    def __init__(self, *args: Any, entries: Mapping[str, Entry], default: str = "", **attrs: Any) -> None:
        attrs |= {"no_args_is_help": not default, "subcommand_metavar": "COMMAND ..."}
        super().__init__(*args, **attrs)
        self.entries = entries
        self.default = default

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """The same, whatever context asks."""
        return list(HELP)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with the default command put in where none is named."""
        if self.default and (not args or (args[0].startswith("-") and args[0] not in HELP)):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help page."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None where there is none of this name."""
        if cmd_name not in self.entries:
            return None
        module, name = self.entries[cmd_name].where.split(":")
        command = getattr(importlib.import_module(f"bramble.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with near misses taken from commands that are not loaded."""
        name = args[0]
        if name not in self.entries and not ctx.resilient_parsing and not name.startswith("-"):
            raise NoSuchCommand(name, tuple(self.entries), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.entries.items():
            sections.setdefault(entry.section, []).append((name, entry.summary))
        width = max(len(name) for name in self.entries)
        for title, records in sections.items():
            with formatter.section(title):
                # One width for all sections, so that the summaries stand in one column.
                formatter.write_dl([(name.ljust(width), summary) for name, summary in records])


class NoSuchCommand(click.UsageError):
    """There is no command of this name."""

    def __init__(self, name: str, known: tuple[str, ...], ctx: click.Context) -> None:
        super().__init__(f"there is no command {name!r}", ctx)
        self.name = name
        self.known = known
