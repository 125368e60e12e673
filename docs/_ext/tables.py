"""Tables of the manual, from the code they are about."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator

from bramble import api, errors
from bramble.engine.report import ExitCode
from bramble.inventory.schema import CardsEntry, ClusterFile, ServiceEntry
from bramble.runner import steps
from bramble.runner.events import Event

_EXIT_CODES = {
    ExitCode.DONE: "Done. A second run that finds nothing to change ends so, too.",
    ExitCode.HOST_FAILED: "Some host failed; the report names each. The others are through as far as the plan allows. "
    "For `hosts check`: some host is not fit.",
    ExitCode.USAGE: "A mistake in what was asked, or no plan can be made of it. Nothing was changed.",
    ExitCode.VERIFICATION_FAILED: "The service is there but does not do its work.",
    ExitCode.INTERRUPTED: "Stopped by Ctrl-C, SIGTERM or a closed terminal. The message has the command that goes on.",
}


def error_classes() -> Iterator[type[errors.BrambleError]]:
    """The tree of errors, from the root down."""

    def below(kind: type[errors.BrambleError]) -> Iterator[type[errors.BrambleError]]:
        yield kind
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                yield from below(child)

    return below(errors.BrambleError)


def error_tree() -> str:
    """The tree as the module draws it."""
    tree = inspect.getdoc(errors) or ""
    drawn = re.search(r"::\n\n((?: {4}.*\n)+)", tree)
    assert drawn
    return f"```text\n{inspect.cleandoc(drawn[1])}\n```"


def one_error(name: str) -> str:
    """What a class of error means, and how the command ends with it."""
    kind = getattr(errors, name)
    doc = _markdown((inspect.getdoc(kind) or "").split("\nParameters\n")[0].strip())
    return f"{doc}\n\nExit code {kind.exit_code}."


def exit_codes() -> str:
    """How commands end."""
    rows = "".join(f"| {int(code)} | {_EXIT_CODES[code]} |\n" for code in ExitCode)
    rows += "| 141 | Whoever read the output has stopped reading, as `\\| head` does. |\n"
    return f"| code | meaning |\n|---|---|\n{rows}"


def event_reference() -> str:
    """Each kind of event with its fields."""
    return "\n".join(_event(kind) for kind in Event.kinds.values())


def _event(kind: type[Event]) -> str:
    doc = _markdown(inspect.getdoc(kind) or "")
    common = {field.name for field in dataclasses.fields(Event)}
    rows = "".join(
        f"| `{f.name}` | {_json_type(str(f.type))} |\n" for f in dataclasses.fields(kind) if f.name not in common
    )
    table = f"| field | type |\n|---|---|\n{rows}" if rows else ""
    return f"### {kind.kind}\n\n{doc}\n\n{table}"


def _json_type(annotation: str) -> str:
    words = {"str": "text", "int": "number", "float": "number (seconds)", "tuple[str, ...]": "list of texts"}
    annotation = annotation.strip("\"'")
    return words.get(annotation, "object" if annotation.startswith("dict") else annotation)


def cluster_keys() -> str:
    """The keys of a cluster file."""
    return (
        _keys(ClusterFile)
        + "\nBelow `services`, each service may have these besides its options:\n\n"
        + _keys(ServiceEntry)
        + "\nBelow `cards`:\n\n"
        + _keys(CardsEntry)
    )


def _keys(model: type[ClusterFile | ServiceEntry | CardsEntry]) -> str:
    rows = "".join(
        f"| `{name}` | {'required' if field.is_required() else ''} | {_cell(field.description)} |\n"
        for name, field in model.model_fields.items()
    )
    return f"| key | | meaning |\n|---|---|---|\n{rows}"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def public_api() -> str:
    """Each public name of `bramble.api`: the verbs, then what they take and give."""
    verbs = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]
    others = [name for name in api.__all__ if inspect.isclass(getattr(api, name))]
    functions = "".join(f".. autofunction:: bramble.api.{name}\n\n" for name in verbs)
    classes = "".join(_autoclass(f"bramble.api.{name}") for name in others)
    return (
        f"### Verbs\n\n```{{eval-rst}}\n{functions}```\n\n### What they take and give\n\n```{{eval-rst}}\n{classes}```"
    )


def step_types() -> str:
    """Each type of step."""
    return "\n".join(
        f"### {name}\n\n```{{eval-rst}}\n.. autoclass:: bramble.runner.steps.{name}()\n```\n" for name in steps.__all__
    )


def _autoclass(name: str) -> str:
    return f".. autoclass:: {name}()\n   :members:\n\n"


def _markdown(text: str) -> str:
    return text.replace("``", "`")
