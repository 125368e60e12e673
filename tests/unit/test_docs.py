"""The manual leaves nothing out, and what it prints is true: its commands parse, its make targets and files are there.

Most of it is made from the code, so what can be missing is the code's own words: an option without help, a step's field
that no docstring tells of. Whether all links lead somewhere is seen by `make docs`.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from bramble import api, errors
from bramble.cli import bramble
from bramble.cli.complaint import guarded
from bramble.cli.lazy import Command, LazyGroup
from bramble.engine.report import ExitCode
from bramble.inventory.schema import ClusterFile, ServiceEntry
from bramble.runner import steps
from bramble.runner.events import Event

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"


def extension(name: str) -> ModuleType:
    """A module of the manual's own extension."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def pages() -> dict[str, str]:
    """The pages by name, the generated parts filled in."""
    parts, mark = extension("generated").PARTS, extension("generated")._MARK
    made = {f"services/{name}": text for name, text in extension("services").service_pages().items()}
    for path in sorted(DOCS.rglob("*.md")):
        name = str(path.relative_to(DOCS).with_suffix(""))
        if not name.startswith("services/") or name == "services/index":
            text = mark.sub(lambda m: parts[m["name"]](m["argument"] or ""), path.read_text())
            made[name] = text
    return made


PAGES = pages()
#: The programs and files that the manual shows; what is built from them has no page.
EXAMPLES = [path for path in sorted((DOCS / "examples").rglob("*.*")) if path.suffix in (".py", ".go", ".yaml")]
COMMANDS = list(extension("commands").walk())
ERRORS = list(extension("tables").error_classes())


def undocumented_options(command: click.Command) -> list[str]:
    """Options that say nothing of themselves, and arguments without a name on the help page."""
    options = [p for p in command.params if isinstance(p, click.Option) and not p.help]
    return [option.opts[0] for option in options]


def undocumented_fields(thing: type) -> list[str]:
    """Fields of a dataclass that its docstring does not list under Parameters or Attributes."""
    listed = re.findall(r"^(\w+(?:, \w+)*)$", inspect.getdoc(thing) or "", re.MULTILINE)
    told = {name for line in listed for name in line.split(", ")}
    return [field.name for field in dataclasses.fields(thing) if field.name not in told]


# Everything there is


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_a_command_and_its_options_are_told(path: str, command: click.Command) -> None:
    page = PAGES["reference/commands"]
    assert command.help
    assert re.search(rf"^##+ {re.escape(path)}$", page, re.MULTILINE)
    assert undocumented_options(command) == []
    for parameter in command.params:
        for name in parameter.opts if isinstance(parameter, click.Option) else ():
            assert name in page


def test_an_option_without_words_is_found() -> None:
    silent = Command("new", params=[click.Option(["--silent"]), click.Option(["--told"], help="Told.")])
    assert undocumented_options(silent) == ["--silent"]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_is_explained(kind: type[errors.BrambleError]) -> None:
    page = PAGES["guide/troubleshooting"]
    assert inspect.getdoc(kind)
    section = re.search(rf"^## {kind.__name__}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/guide/troubleshooting.md has no section {kind.__name__}"
    assert f"Exit code {kind.exit_code}." in section[1]
    # What it means comes from the docstring; what to do about it is written by hand.
    assert len(section[1].partition("Exit code")[2].split()) > 8


@pytest.mark.parametrize("kind", Event.kinds.values(), ids=lambda kind: kind.kind)
def test_an_event_is_told(kind: type[Event]) -> None:
    page = PAGES["reference/events"]
    assert not (inspect.getdoc(kind) or "").startswith(kind.__name__ + "("), "it has no docstring of its own"
    assert f"### {kind.kind}\n" in page
    for field in dataclasses.fields(kind):
        assert f"`{field.name}`" in page


@pytest.mark.parametrize("name", steps.__all__)
def test_a_step_and_its_fields_are_told(name: str) -> None:
    assert f"bramble.runner.steps.{name}()" in PAGES["services-howto"]
    assert undocumented_fields(getattr(steps, name)) == []


def test_a_field_without_words_is_found() -> None:
    @dataclasses.dataclass
    class Thing:
        """A thing.

        Parameters
        ----------
        told, too
            Told.
        """

        told: str
        too: str
        silent: str

    assert undocumented_fields(Thing) == ["silent"]


@pytest.mark.parametrize("name", extension("services").rooms())
def test_a_service_has_a_page_with_all_options(name: str) -> None:
    page = PAGES[f"services/{name}"]
    assert (ROOT / f"src/bramble/services/{name}/README.md").exists()
    info = api.run(api.services(name))[0]
    for option in info.options:
        assert option.description
        assert f"`{option.name}`" in page


def test_states_of_a_service_are_told() -> None:
    doc = inspect.getdoc(api.ServiceState) or ""
    states = re.findall(r"``([a-z ]+)``", doc.partition("differences\n")[0])
    assert len(states) >= 5
    for state in set(states) - {"differences"}:
        assert f"| {state} |" in PAGES["guide/running"]


def test_exit_codes_are_told() -> None:
    for code in ExitCode:
        assert f"| {int(code)} |" in PAGES["guide/running"]


@pytest.mark.parametrize("model", [ClusterFile, ServiceEntry])
def test_keys_of_a_cluster_file_are_told(model: type[ClusterFile] | type[ServiceEntry]) -> None:
    for name, field in model.model_fields.items():
        assert field.description
        assert f"`{name}`" in PAGES["guide/clusters"]


@pytest.mark.parametrize("name", api.__all__)
def test_the_api_is_told(name: str) -> None:
    thing = getattr(api, name)
    if inspect.isfunction(thing) or inspect.isclass(thing):
        assert inspect.getdoc(thing)
        assert f"bramble.api.{name}" in PAGES["reference/api"]


# What is printed is true


def printed(text: str) -> Iterator[str]:
    """Command lines in blocks of code, and those of one line that stand in backticks."""
    for block in re.findall(r"^ *```(?:console|bash|sh)?\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            yield re.sub(r"^\s*([$#] )?(\.venv/bin/)?(?=bramble |make )", "", line)
    yield from re.findall(r"(?<![`}])`((?:bramble|make) [^`\n]+)`(?!`)", text)


def lines_of(program: str) -> list[str]:
    texts = [*PAGES.values(), README.read_text(), CONTRIBUTING.read_text()]
    found = dict.fromkeys(line for text in texts for line in printed(text) if line.startswith(f"{program} "))
    return list(found)


def parse(line: str) -> None:
    """Read a command line as bramble would, without carrying it out."""
    line = re.sub(r"\bCOMMAND\b", "deploy", line).partition(" | ")[0].partition(" > ")[0].replace("...", "")
    words = shlex.split(line, comments=True)[1:]
    if words[:1] == ["--server"]:
        words = words[2:]  # who does it, and not what
    command: click.Command = bramble
    context: click.Context | None = None
    while isinstance(command, LazyGroup):
        if not set(words) - {"--help", "-h", "--version"}:
            return
        context = click.Context(command, info_name=command.name, parent=context)
        if command.default and (not words or words[0].startswith("-")):
            words = [command.default, *words]
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    if "--help" not in words:
        command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("line", lines_of("bramble"))
def test_a_printed_command_is_one(line: str) -> None:
    try:
        parse(line)
    except click.MissingParameter:
        # A command that is only named: `bramble hosts trust`.
        assert not re.search(r" -", line), line


@pytest.mark.parametrize("line", ["bramble deply slurm", "bramble deploy slurm --cluser red", "bramble runs shwo 1"])
def test_a_printed_command_that_is_none_is_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line)


@pytest.mark.parametrize("line", lines_of("make"))
def test_a_printed_make_target_is_there(line: str) -> None:
    target = line.split()[1]
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", [README, CONTRIBUTING], ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_stand_in_the_manual(path: Path) -> None:
    assert any(f"examples/{path.relative_to(DOCS / 'examples')}" in page for page in PAGES.values())


def shown_with_output() -> list[tuple[str, str]]:
    """Commands that need no host, with what the manual says that they print."""
    blocks = re.findall(r"^```console\n(.*?)^```", "".join(PAGES.values()), re.MULTILINE | re.DOTALL)
    shown = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)]
    parts = [part.partition("\n") for part in shown if part.startswith("bramble hosts expand")]
    return [(line, output) for line, _, output in parts if output.strip()]


@pytest.mark.parametrize(("line", "output"), shown_with_output())
def test_a_printed_output_is_what_comes(line: str, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: bramble.main(shlex.split(line)[1:], prog_name="bramble", standalone_mode=False))
    said = capsys.readouterr()
    assert said.out + said.err == output


def test_expressions_mean_what_the_manual_says() -> None:
    """The table of host expressions: where the meaning is a list of names, it is what comes out."""
    rows = re.findall(r"^\| `([^`]+)` \| .*?((?:`[^`]+` ?)+)\|$", PAGES["guide/hosts"], re.MULTILINE)
    checked = 0
    for expression, names in rows:
        wanted = re.findall(r"`([^`]+)`", names)
        if not any("[" in name for name in wanted) and len(wanted) > 1:
            assert list(api.hosts_expand(expression)) == wanted
            checked += 1
    assert checked >= 5
