"""Fills the manual with what the code says of itself, so that the two cannot differ.

A line ``{{ name }}`` or ``{{ name argument }}`` in a page is replaced by the Markdown that the function of that name in
`PARTS` makes. Every room of ``bramble.services`` gets a page: its README, its options, its promises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from commands import command_reference
from rest import rest_reference
from services import service_pages, service_table
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from tables import cluster_keys, error_tree, event_reference, exit_codes, one_error, public_api, step_types

_MARK = re.compile(r"^\{\{ (?P<name>[a-z-]+)(?: (?P<argument>\S+))? \}\}$", re.MULTILINE)

PARTS: dict[str, Callable[[str], str]] = {
    "api": lambda _: public_api(),
    "cluster-keys": lambda _: cluster_keys(),
    "commands": lambda _: command_reference(),
    "error": one_error,
    "error-tree": lambda _: error_tree(),
    "events": lambda _: event_reference(),
    "exit-codes": lambda _: exit_codes(),
    "rest": lambda _: rest_reference(),
    "services": lambda _: service_table(),
    "steps": lambda _: step_types(),
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", _write_service_pages)
    app.connect("autodoc-process-docstring", _join_names, priority=400)  # before napoleon
    app.connect("source-read", _fill)
    # What a page is made of is not among its files: those with marks are read anew each time.
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: _marked(app) & env.all_docs.keys())
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fill(_app: Sphinx, page: str, source: list[str]) -> None:
    def made(mark: re.Match[str]) -> str:
        if mark["name"] not in PARTS:
            raise ExtensionError(f"{page}: there is no part {mark['name']!r} to fill in")
        return PARTS[mark["name"]](mark["argument"] or "")

    source[0] = _MARK.sub(made, source[0])


def _join_names(_app: Sphinx, _what: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Several attributes told in one go: with a blank between, the first would be taken for a type."""
    lines[:] = [line.replace(", ", ",") if re.fullmatch(r"\s*\w+(, \w+)+", line) else line for line in lines]


def _marked(app: Sphinx) -> set[str]:
    root = Path(app.srcdir)
    return {str(p.relative_to(root).with_suffix("")) for p in root.rglob("*.md") if _MARK.search(p.read_text())}


def _write_service_pages(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "services"
    pages = service_pages()
    for stale in folder.glob("*.md"):
        if stale.stem != "index" and stale.stem not in pages:
            stale.unlink()
    for name, text in pages.items():
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text() != text:
            page.write_text(text)
