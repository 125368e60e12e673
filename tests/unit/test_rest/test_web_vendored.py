"""What others wrote is what they published, and the page fetches nothing from elsewhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from bramble.rest.web.render import FOLDER

VENDOR = FOLDER / "vendor"
TABLE = re.findall(r"^\| `(\S+)` \|.*\(`(\S+)`\) \| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.M)


def test_every_file_is_in_the_table() -> None:
    told = {name for row in TABLE for name in row[:2]}
    assert {path.name for path in VENDOR.iterdir()} - {"README.md"} == told


@pytest.mark.parametrize(("name", "licence", "hash"), TABLE, ids=[row[0] for row in TABLE])
def test_a_file_is_as_it_was_published(name: str, licence: str, hash: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == hash
    assert (VENDOR / licence).read_text().strip()


TEMPLATES = sorted((FOLDER / "templates").iterdir())
OWN = [path for folder in ("templates", "static") for path in sorted((FOLDER / folder).iterdir())]


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_script_and_no_style_stands_in_a_page(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|\|\s*safe|autoescape", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_htmx_does_is_never_made_from_data(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\b(?:data-)?hx-[a-z-]+=(\"[^\"]*\{|'[^']*\{\{)", text)


def test_the_sheet_is_small() -> None:
    assert (FOLDER / "static/page.css").stat().st_size < 15_000
