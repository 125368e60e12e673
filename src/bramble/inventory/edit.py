"""Edits of a cluster file that touch only what is asked: comments, order, blank lines and quotes stay.

YAML writers put a whole file down anew and lose comments next to what they take out, so these functions change the text
itself, at the places that the parser tells. What cannot be done so is refused, never guessed: after each edit the new
text is read again and must say what was meant.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from ..errors import ClusterFileError
from .document import Document, Path, children

#: Text that YAML takes for the same text without quotes, also within brackets.
_PLAIN = re.compile(r"[A-Za-z/~](?:[A-Za-z0-9_./@-]*[A-Za-z0-9_/])?|[0-9]+(?:\.[0-9]+){3}")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"}


def put(document: Document, path: Path, value: Any) -> Document:
    """The document with ``value`` at ``path``: replaced, or added where it was not.

    A list's length as the last step of the path appends to it.

    Raises
    ------
    ClusterFileError
        The text is written in a way that cannot be edited safely; says what to write by hand.
    """
    meant = _unshared(document.data)
    _put_data(meant, path, value)
    known = next(n for n in range(len(path), -1, -1) if document.node(path[:n]) is not None)
    if known == len(path):
        text = _replaced(document, path, value)
    else:
        text = _added(document, path[:known], path[known], _nested(path[known + 1 :], value))
    return _checked(document, text, meant, path, f"write {_render(value)} there by hand")


def drop(document: Document, path: Path, *, prune: bool = False) -> Document:
    """The document without what is at ``path``. A mapping that becomes empty stays as ``{}``, or goes, too: ``prune``.

    Raises
    ------
    ClusterFileError
        As `put`.
    """
    around = document.node(path[:-1])
    assert isinstance(around, CollectionNode)
    if len(around.value) == 1 and len(path) > 1:
        return drop(document, path[:-1], prune=True) if prune else put(document, path[:-1], {})
    meant = _unshared(document.data)
    del functools.reduce(lambda data, step: data[step], path[:-1], cast(Any, meant))[path[-1]]
    index = [key for key, _ in children(around)].index(path[-1])
    text = _without_flow(document.text, around, index) if around.flow_style else _without_block(document, path)
    return _checked(document, text, meant, path, "take it out by hand")


def _put_data(data: Any, path: Path, value: Any) -> None:
    for step in path[:-1]:
        if isinstance(data, dict) and data.get(str(step)) is None:
            data[step] = {}
        data = data[step]
    if isinstance(data, list) and path[-1] == len(data):
        data.append(value)
    else:
        data[path[-1]] = value


def _unshared(value: Any) -> Any:
    """A copy in which two aliases of one value are two values."""
    if isinstance(value, dict):
        return {key: _unshared(inside) for key, inside in value.items()}
    return [_unshared(inside) for inside in value] if isinstance(value, list) else value


def _nested(path: Path, value: Any) -> Any:
    for step in reversed(path):
        value = {step: value}
    return value


def _checked(document: Document, text: str, meant: Any, path: Path, hint: str) -> Document:
    try:
        edited = Document(text, document.file)
    except ClusterFileError:
        edited = None
    if edited is None or edited.data != meant:
        document.fail("this part of the file is written in a way that cannot be edited safely", path, hint=hint)
    return edited


# Where things end. The parser's own end of a block collection lies behind the comments that follow it, and a key
# without a value has its value anywhere up to the next key.


def _key_of(document: Document, path: Path) -> Node | None:
    around = document.node(path[:-1]) if path else None
    pairs = around.value if isinstance(around, MappingNode) else []
    return next((key for key, _ in pairs if key.value == path[-1]), None)


def _end(key: Node | None, node: Node) -> int:
    if key is not None and node.start_mark.index == node.end_mark.index:
        return int(key.end_mark.index) + 1  # the colon
    if isinstance(node, CollectionNode) and not node.flow_style:
        pairs = node.value if isinstance(node, MappingNode) else [(None, item) for item in node.value]
        return max(_end(key, value) for key, value in pairs)
    return int(node.end_mark.index)


def _end_of_content(document: Document, path: Path) -> int:
    node = document.node(path)
    assert node is not None
    end = _end(_key_of(document, path), node)
    while end > node.start_mark.index and document.text[end - 1].isspace():  # literal blocks (`|`) end with their line
        end -= 1
    return end


def _line_end(text: str, index: int) -> int:
    """Behind the line end of the line with ``index``."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


# Edits of the text.


def _replaced(document: Document, path: Path, value: Any) -> str:
    text, node = document.text, document.node(path)
    assert node is not None
    end = _end_of_content(document, path)
    start = min(int(node.start_mark.index), end)
    before = text[:start]
    key = _key_of(document, path)
    if key is not None and isinstance(node, CollectionNode) and not node.flow_style:
        before = text[: key.end_mark.index + 1] + " "  # what stood below, comments in it too, is replaced
    elif start == end:  # nothing stands behind the colon
        before += " "
    style = node.style if isinstance(node, ScalarNode) else None
    return before + _render(value, style) + text[end:]


def _added(document: Document, around: Path, key: str | int, value: Any) -> str:
    text, node, owner = document.text, document.node(around), _key_of(document, around)
    assert node is not None
    empty = isinstance(node, ScalarNode) or (isinstance(node, MappingNode) and not node.value)
    if empty and owner is not None and not _within_flow(document, around):
        # What is written as nothing, or as `{}`, grows into lines.
        text = text[: owner.end_mark.index + 1] + text[_end_of_content(document, around) :]
        at = _line_end(text, owner.end_mark.index)
        lines = _block(key, value, " " * (owner.start_mark.column + 2))
    elif not isinstance(node, CollectionNode):
        return _replaced(document, around, {key: value})
    elif node.flow_style:
        item = _render({key: value})[1:-1] if isinstance(node, MappingNode) else _render(value)
        close = int(node.end_mark.index) - 1
        return text[:close].rstrip() + (", " if node.value else "") + item + text[close:]
    else:
        at = _line_end(text, _end_of_content(document, around) - 1)
        first = node.value[0][0] if isinstance(node, MappingNode) else node.value[0]
        lead = text[_line_start(text, first.start_mark.index) : first.start_mark.index]
        lines = _block(key, value, " " * len(lead)) if isinstance(node, MappingNode) else f"{lead}{_render(value)}\n"
    gap = "" if not at or text[at - 1] == "\n" else "\n"
    return text[:at] + gap + lines + text[at:]


def _within_flow(document: Document, path: Path) -> bool:
    around = [document.node(path[:end]) for end in range(len(path))]
    return any(isinstance(node, CollectionNode) and node.flow_style for node in around)


def _block(key: str | int, value: Any, indent: str) -> str:
    if isinstance(value, Mapping) and value:
        inner = "".join(_block(name, inside, indent + "  ") for name, inside in value.items())
        return f"{indent}{_render(key)}:\n{inner}"
    return f"{indent}{_render(key)}: {_render(value)}\n"


def _without_block(document: Document, path: Path) -> str:
    text, node = document.text, document.node(path)
    assert node is not None
    start = (_key_of(document, path) or node).start_mark.index
    last = max(_end_of_content(document, path) - 1, start)
    return text[: _line_start(text, start)] + text[_line_end(text, last) :]


def _without_flow(text: str, around: CollectionNode, index: int) -> str:
    items = [item if isinstance(item, tuple) else (item, item) for item in around.value]
    first, last = items[index]
    start, end = first.start_mark.index, last.end_mark.index
    if index + 1 < len(items):
        end = items[index + 1][0].start_mark.index
    elif index:
        start = items[index - 1][1].end_mark.index
    return text[:start] + text[end:]


def _render(value: Any, style: str | None = None) -> str:
    """A value on one line: YAML's flow form, of which JSON is a part."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_render(k)}: {_render(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_render, value)) + "]"
    if isinstance(value, str):
        if style == "'":
            return "'" + value.replace("'", "''") + "'"
        if style != '"' and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
