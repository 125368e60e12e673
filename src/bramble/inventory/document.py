"""A cluster file as YAML: its values, and the line on which each stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from ..errors import ClusterFileError

#: The way to a value: keys of mappings, positions in lists.
Path = Sequence[str | int]


class Document:
    """The text of a cluster file, read.

    Parameters
    ----------
    text
        Its YAML.
    file
        Its path, for messages.

    Raises
    ------
    ClusterFileError
        It is no YAML, has a key twice, or is not made of keys and values.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        yaml = YAML(typ="safe", pure=True)
        try:
            self.root: Node | None = yaml.compose(text)
            value = None if self.root is None else yaml.constructor.construct_document(self.root)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what, hint = _in_words(error, _line_of(text, mark.line) if mark else "")
            raise ClusterFileError(what, file=file, line=mark.line + 1 if mark else None, hint=hint) from None
        except YAMLError as error:
            raise ClusterFileError(f"this is no YAML: {' '.join(str(error).split())}", file=file) from None
        if self.root is not None and _within_itself(self.root):
            raise ClusterFileError("an alias (*) stands within what it means", file=file)
        if value is None:
            raise ClusterFileError("the file is empty", file=file, hint='it needs at least: hosts: "red,red[01-02]"')
        if not isinstance(value, dict):
            raise ClusterFileError("keys and values are wanted", file=file, line=1, hint='hosts: "red,red[01-02]"')
        self.data: dict[str, Any] = value

    def node(self, path: Path) -> Node | None:
        """The node at ``path``; None where there is none."""
        node = self.root
        for step in path:
            pairs = children(node) if node is not None else []
            node = next((value for key, value in pairs if key == step), None)
        return node

    def line(self, path: Path) -> int | None:
        """The line (from 1) of the key that ``path`` leads to, or of the last one on the way that there is."""
        line, node = None, self.root
        for step in path:
            if isinstance(node, MappingNode):
                key = next((key for key, _ in node.value if key.value == str(step)), None)
                line = key.start_mark.line + 1 if key is not None else line
            node = next((value for key, value in children(node) if key == step), None) if node is not None else None
            if node is not None and isinstance(step, int):
                line = node.start_mark.line + 1
        return line

    def fail(self, what: str, path: Path, *, hint: str = "") -> NoReturn:
        """Raise for the value at ``path``."""
        key = ".".join(str(step) for step in path if isinstance(step, str))
        raise ClusterFileError(what, file=self.file, line=self.line(path), key=key, hint=hint)


def children(node: Node) -> list[tuple[str | int, Node]]:
    """The values in a collection, with their keys or positions."""
    if isinstance(node, MappingNode):
        return [(key.value, value) for key, value in node.value]
    if isinstance(node, SequenceNode):
        return list(enumerate(node.value))
    return []


def _within_itself(node: Node, around: tuple[Node, ...] = ()) -> bool:
    return any(node is outer for outer in around) or any(
        _within_itself(inside, (*around, node)) for _, inside in children(node)
    )


def _line_of(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line] if line < len(lines) else ""


def _in_words(error: MarkedYAMLError, line: str) -> tuple[str, str]:
    problem = " ".join(str(error.problem or error.context or error).split())
    if "duplicate key" in problem:
        key = problem.split('"')[1] if '"' in problem else "a key"
        return f"{key} stands there twice", "keep one of them"
    if "\t" in line:
        return "a tab stands there", "YAML wants blanks"
    hint = 'put a value with [ or @ in quotes: hosts: "@red,red[01-02]"' if any(c in line for c in "@[!&%`") else ""
    return f"this is no YAML: {problem}", hint
