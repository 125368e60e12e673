"""Mistakes of the person at the keyboard: told before any host is contacted, with exit code 2 and the right word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.controller import Controller

from bramble.lab.testing import Lab


@pytest.fixture
def watched(lab: Lab, tmp_path: Path) -> Iterator[Controller]:
    """A controller; at the end, no host may have seen anybody come in."""
    count = "journalctl --no-pager --output=cat | grep -c 'Accepted publickey' || true"
    before = {host: lab.shell(host, count) for host in lab.hosts}
    yield Controller.of(lab, tmp_path / "controller")
    assert {host: lab.shell(host, count) for host in lab.hosts} == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("deploy", "beacn"), ("beacn", "did you mean 'beacon'?")),
        (("deploy", "nothing-like-it"), ("nothing-like-it", "slurm")),
        (("deploy", "beacon", "--set", "wrd=x"), ("wrd", "did you mean 'word'?")),
        (("deploy", "beacon", "--set", "port=99999"), ("port", "65535", "99999")),
        (("deploy", "beacon", "--set", "port=many"), ("port", "many")),
        (("deploy", "beacon", "--hosts", "red[01-"), ("red[01-", "^")),
        (("deploy", "beacon", "--hosts", "red[0001-9999999]"), ("red[0001-9999999]",)),
        (("deploy", "beacon", "--manager", "blue"), ("blue", "red,red[01-02]")),
        (("deploy", "beacon", "--cluster", "labb"), ("labb", "lab")),
        (("scale", "beacon"), ("nothing to add", "--add")),
        (("scale", "beacon", "--drop", "red"), ("lab", "not deployed")),
        (("deply", "beacon"), ("deply", "did you mean bramble deploy?")),
        (("deploy", "beacon", "--manger", "red"), ("--manger", "did you mean --manager?")),
        (("verify", "beacn"), ("beacn", "did you mean 'beacon'?")),
        (("remove", "beacn", "--yes"), ("beacn", "did you mean 'beacon'?")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_a_mistake_is_told_before_any_host_is_contacted(
    watched: Controller, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    done = watched.run(*words)
    assert done.status == 2, done.said
    for word in said:
        assert word in done.stderr, f"{word!r} is not in: {done.stderr}"
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("broken", "line", "key"),
    [
        ("hosts: red,red01\nuser: [pi\n", 3, ""),
        ('hosts: "red,red["\n', 1, "hosts"),
        ("hosts: red\nusr: pi\n", 2, "usr"),
        ("hosts: red\nport: many\n", 2, "port"),
        ("hosts: red\nservices:\n  beacon:\n    word", 3, "beacon"),
        ("", 1, ""),
    ],
)
def test_a_half_written_cluster_file(watched: Controller, broken: str, line: int, key: str) -> None:
    watched.cluster_file.write_text(broken)
    done = watched.run("deploy", "beacon")
    assert done.status == 2, done.said
    assert watched.cluster_file.name in done.stderr
    if broken:
        assert f"{watched.cluster_file.name}:{line}" in done.stderr, done.stderr
    assert key in done.stderr
    assert watched.cluster_file.read_text() == broken, "a file that a person writes at is left alone"
