"""The command reference, from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from bramble.cli import bramble
from bramble.cli.lazy import Command, LazyGroup

#: An option as it stands on a help page: its name and what it does.
Record = tuple[str, str]


def walk() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, groups before what is in them."""
    yield "bramble", bramble
    yield from _below("bramble", bramble)


def _below(path: str, group: LazyGroup) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, LazyGroup):
            yield from _below(f"{path} {name}", command)


def options_of(path: str, command: click.Command) -> dict[str, list[Record]]:
    """The options of a command by the heading they stand under on its help page."""
    context = click.Context(command, info_name=path)
    sections: dict[str, list[Record]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            sections.setdefault(getattr(parameter, "section", "Output"), []).append(record)
    return sections


def command_reference() -> str:
    """Every command: usage, what it does, its options, examples. Options that many share are told once, at the end."""
    commands = list(walk())
    shared = _shared(commands)
    parts = [_command(path, command, shared) for path, command in commands]
    for title, records in shared.items():
        parts += [f"({_anchor(title)})=\n## {title}\n", _table(list(records))]
    return "\n".join(parts)


def _shared(commands: list[tuple[str, click.Command]]) -> dict[str, dict[Record, None]]:
    """Options outside of the commands' own, that several commands have in the same words."""
    count: dict[tuple[str, Record], int] = {}
    for path, command in commands:
        for section, records in options_of(path, command).items():
            for record in records if section != "Options" else ():
                count[section, record] = count.get((section, record), 0) + 1
    found: dict[str, dict[Record, None]] = {}
    for (section, record), times in count.items():
        if times > 1:
            found.setdefault(section, {})[record] = None
    return found


def _command(path: str, command: click.Command, shared: dict[str, dict[Record, None]]) -> str:
    level = "##" if path.count(" ") < 2 else "###"
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"({_anchor(path)})=\n{level} {path}\n", f"```text\n{path} {usage}\n```\n", _help(command)]
    own, elsewhere = [], []
    for section, records in options_of(path, command).items():
        common = shared.get(section, {})
        own += [record for record in records if record not in common]
        names = [record[0].split(" ")[0].rstrip(",") for record in records if record in common]
        if names:
            elsewhere.append(f"{{ref}}`{section} <{_anchor(section)}>`: " + ", ".join(f"`{name}`" for name in names))
    if own:
        lines.append(_table(own))
    if elsewhere:
        lines.append("".join(f"- {line}\n" for line in elsewhere))
    if isinstance(command, LazyGroup):
        rows = [(f"{{ref}}`{path} {n} <{_anchor(f'{path} {n}')}>`", e.summary) for n, e in command.entries.items()]
        lines.append("| command | |\n|---|---|\n" + "".join(f"| {n} | {_cell(text)} |\n" for n, text in rows))
    if isinstance(command, Command) and command.examples:
        lines.append(f"```bash\n{command.examples}\n```\n")
    return "\n".join(lines)


def _help(command: click.Command) -> str:
    """The help text as Markdown: what click is told not to wrap is shown as it stands."""
    parts = []
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.lstrip().startswith("\b"):
            parts.append("```text\n" + paragraph.split("\n", 1)[1] + "\n```\n")
        else:
            parts.append(_prose(paragraph.strip()) + "\n")
    return "\n".join(parts)


def _table(records: list[Record]) -> str:
    rows = "".join(f"| `{name}` | {_cell(text)} |\n" for name, text in records)
    return f"| option | meaning |\n|---|---|\n{rows}"


def _cell(text: str) -> str:
    return _prose(" ".join(text.split())).replace("|", "\\|")


def _prose(text: str) -> str:
    # What is not set as code already: words with dashes or brackets would be taken for something else.
    return re.sub(
        r"(?<![`\w])(--[a-z][a-z-]*(?: [A-Z]+=?[A-Z]*\b)?|[\w@.,-]+\[[\w,-]+\]\S*\w|[A-Z]+=[A-Z]+)(?!`)", r"`\1`", text
    )


def _anchor(title: str) -> str:
    return "command-" + re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
