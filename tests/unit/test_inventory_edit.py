"""Edits of cluster files touch what is asked, and nothing else."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bramble.errors import BrambleError, ClusterFileError
from bramble.inventory import storage
from bramble.inventory.document import Document
from bramble.inventory.edit import drop, put

FILE = """\
# The red cluster
hosts: "red,red[01-02]"   # in the cupboard

user: pi
groups:   # by what they have
    gpu: red01   # the one with the stick

    # those in the rack
    rack: [red01, red02]   # top to bottom
flow: {a: 1, b: {c: 2}, d: []}
list:
- one   # first
# before two
- two
nothing:
note: |
  two lines,
  one literal

services:
  # queues
  slurm:
    accounting: true   # since May
    # how many
    partitions:
      day: 1
  # about spark
  spark:
# the end
"""


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines taken out, lines put in."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("path", "value", "out", "into"),
    [
        (
            ("hosts",),
            "red,red[01-03]",
            ['hosts: "red,red[01-02]"   # in the cupboard'],
            ['hosts: "red,red[01-03]"   # in the cupboard'],
        ),
        (("user",), "admin", ["user: pi"], ["user: admin"]),
        (("user",), "", ["user: pi"], ['user: ""']),
        (("port",), 22, [], ["port: 22"]),
        (
            ("groups", "gpu"),
            "red[01-02]",
            ["    gpu: red01   # the one with the stick"],
            ['    gpu: "red[01-02]"   # the one with the stick'],
        ),
        (("groups", "cpu"), "red02", [], ["    cpu: red02"]),
        (
            ("groups", "rack", 2),
            "red[03-04]",
            ["    rack: [red01, red02]   # top to bottom"],
            ['    rack: [red01, red02, "red[03-04]"]   # top to bottom'],
        ),
        (
            ("groups", "rack"),
            "red02",
            ["    rack: [red01, red02]   # top to bottom"],
            ["    rack: red02   # top to bottom"],
        ),
        (
            ("flow", "b", "e"),
            True,
            ["flow: {a: 1, b: {c: 2}, d: []}"],
            ["flow: {a: 1, b: {c: 2, e: true}, d: []}"],
        ),
        (("flow", "d", 0), "x", ["flow: {a: 1, b: {c: 2}, d: []}"], ["flow: {a: 1, b: {c: 2}, d: [x]}"]),
        (("list", 2), "three", [], ["- three"]),
        (("list", 0), "null", ["- one   # first"], ['- "null"   # first']),
        (("nothing",), "x", ["nothing:"], ["nothing: x"]),
        (("nothing", "a", "b"), 1, [], ["  a:", "    b: 1"]),
        (("note",), "short", ["note: |", "  two lines,", "  one literal"], ["note: short"]),
        (
            ("services", "slurm", "accounting"),
            False,
            ["    accounting: true   # since May"],
            ["    accounting: false   # since May"],
        ),
        (("services", "slurm", "hosts"), "red,red01", [], ['    hosts: "red,red01"']),
        (("services", "slurm", "partitions", "night"), 2, [], ["      night: 2"]),
        (
            ("services", "slurm", "partitions"),
            {"a": 1},
            ["    partitions:", "      day: 1"],
            ["    partitions: {a: 1}"],
        ),
        (("services", "spark", "cores"), 4, [], ["    cores: 4"]),
        (
            ("services", "k3s"),
            {"token": "a b", "deep": {"x": []}},
            [],
            ["  k3s:", '    token: "a b"', "    deep:", "      x: []"],
        ),
        (("services", "k3s"), {}, [], ["  k3s: {}"]),
    ],
)
def test_put(path: tuple[str | int, ...], value: Any, out: list[str], into: list[str]) -> None:
    edited = put(Document(FILE, "red.yaml"), path, value)
    assert changed(FILE, edited.text) == (out, into)


@pytest.mark.parametrize(
    ("path", "out", "into"),
    [
        (("user",), ["user: pi"], []),
        (("groups", "gpu"), ["    gpu: red01   # the one with the stick"], []),
        (
            ("groups", "rack", 0),
            ["    rack: [red01, red02]   # top to bottom"],
            ["    rack: [red02]   # top to bottom"],
        ),
        (
            ("groups", "rack", 1),
            ["    rack: [red01, red02]   # top to bottom"],
            ["    rack: [red01]   # top to bottom"],
        ),
        (("flow", "b"), ["flow: {a: 1, b: {c: 2}, d: []}"], ["flow: {a: 1, d: []}"]),
        (("flow", "b", "c"), ["flow: {a: 1, b: {c: 2}, d: []}"], ["flow: {a: 1, b: {}, d: []}"]),
        (("list", 0), ["- one   # first"], []),
        (("nothing",), ["nothing:"], []),
        (("note",), ["note: |", "  two lines,", "  one literal"], []),
        (
            ("services", "slurm"),
            ["  slurm:", "    accounting: true   # since May", "    # how many", "    partitions:", "      day: 1"],
            [],
        ),
        (("services", "slurm", "partitions", "day"), ["    partitions:", "      day: 1"], ["    partitions: {}"]),
        (("services", "spark"), ["  spark:"], []),
    ],
)
def test_drop(path: tuple[str | int, ...], out: list[str], into: list[str]) -> None:
    edited = drop(Document(FILE, "red.yaml"), path)
    assert changed(FILE, edited.text) == (out, into)


def test_what_becomes_empty_goes_too_where_asked() -> None:
    document = Document("hosts: red\n# ours\nservices:\n  slurm: {}\nuser: pi\n", "red.yaml")
    assert drop(document, ("services", "slurm"), prune=True).text == "hosts: red\n# ours\nuser: pi\n"
    assert drop(document, ("services", "slurm")).text == "hosts: red\n# ours\nservices: {}\nuser: pi\n"


@pytest.mark.parametrize("text", ["hosts: red", "hosts: red   # no line end", "hosts: red\r\nuser: pi", "{hosts: red}"])
def test_a_file_without_a_last_line_end(text: str) -> None:
    edited = put(Document(text, "red.yaml"), ("services", "slurm"), {})
    assert edited.data["services"] == {"slurm": {}}
    assert text.rstrip("}") in edited.text


@pytest.mark.parametrize(
    "text",
    [
        "hosts: red\nservices: &all\n  slurm: {}\nother: *all\n",
        "hosts: red\nusual: &usual {a: 1}\nservices:\n  <<: *usual\n",
        "? hosts\n: red\n? services\n: {}\n",
    ],
)
def test_odd_ways_of_writing_are_edited_rightly_or_refused(text: str) -> None:
    document = Document(text, "red.yaml")
    wanted = {**document.data, "services": {**(document.data["services"] or {}), "spark": {"cores": 4}}}
    with contextlib.suppress(ClusterFileError):
        assert put(document, ("services", "spark"), {"cores": 4}).data == wanted


def test_an_alias_is_never_changed_in_place_of_what_it_means() -> None:
    document = Document("hosts: red\na: &x {b: 1}\nc: *x\n", "red.yaml")
    with pytest.raises(ClusterFileError, match="cannot be edited safely") as caught:
        put(document, ("c", "b"), 2)
    assert "by hand" in caught.value.hint


_SCALAR = st.one_of(
    st.booleans(), st.integers(-5, 5), st.none(), st.text(alphabet="ab01 ,:#'\"[]{}@!&*-?|>%\\\n\té", max_size=8)
)
_KEY = st.sampled_from(["a", "b", "hosts", "on", "1", "a b", "x: y", "#"])
_VALUE = st.recursive(
    _SCALAR,
    lambda inner: st.one_of(st.dictionaries(_KEY, inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=6,
)
_STEP = st.tuples(st.lists(_KEY, min_size=1, max_size=3), _VALUE)


SMALL = """\
# first
hosts: red   # inline
a:
  # in it
  b: {x: 1}   # behind b
  on:
# second
b: [1, [2]]
"1": |
  text
# third
"""


@settings(max_examples=60)
@given(st.lists(_STEP, min_size=1, max_size=3), st.sampled_from([["hosts"], ["a", "b"], ["a", "on"], ["b", 0], ["1"]]))
def test_any_value_can_be_put_and_comments_stay(steps: list[tuple[list[str], Any]], dropped: list[str | int]) -> None:
    document = Document(SMALL, "red.yaml")
    for path, value in steps:
        if _has_room(document.data, path):
            document = put(document, path, value)  # raises where the text would not say so
    if document.node(dropped) is not None:
        document = drop(document, dropped)
    assert all(f"# {comment}\n" in document.text for comment in ("first", "second", "third"))


def _has_room(data: Any, path: list[str]) -> bool:
    for step in path[:-1]:
        data = data.get(step) if isinstance(data, dict) else data
    return data is None or isinstance(data, dict)


def test_writing_keeps_the_mode_and_follows_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("old\n")
    real.chmod(0o640)
    link.symlink_to(real)
    storage.replace(link, "new\n")
    assert link.is_symlink()
    assert real.read_text() == "new\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    storage.replace(tmp_path / "secret", "x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["link.yaml", "real.yaml", "secret"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "red.yaml"
    file.write_text("old\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BrambleError, match="No space left on device"):
        storage.replace(file, "new\n")
    assert file.read_text() == "old\n"
    assert list(tmp_path.glob(".*")) == []
