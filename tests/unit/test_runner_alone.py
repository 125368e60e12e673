"""A runner whose controller is gone must end by itself, however that went: else it would hold its host for ever."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

_RUNNER = "from bramble.runner import loop; loop.SILENCE, loop.TICK = 0.6, 0.1; loop.main()"


@pytest.fixture
def runner() -> Iterator[subprocess.Popen[bytes]]:
    """A runner that takes a silence of 0.6 s for the end."""
    with subprocess.Popen(
        [sys.executable, "-c", _RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b'{"do":"facts"}\n')
        assert b"facts-gathered" in process.stdout.readline()
        yield process
        process.kill()


def test_it_ends_when_nothing_is_heard_any_more(runner: subprocess.Popen[bytes]) -> None:
    assert runner.wait(10) == 0


def test_it_stays_as_long_as_the_controller_says_that_it_is_there(runner: subprocess.Popen[bytes]) -> None:
    assert runner.stdin
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        runner.stdin.write(b'{"do":"alive"}\n')
        time.sleep(0.1)
    assert runner.poll() is None


def test_it_ends_when_the_controller_was_cut_off_in_the_middle_of_a_word(runner: subprocess.Popen[bytes]) -> None:
    assert runner.stdin
    runner.stdin.write(b'{"do":"gro')
    runner.stdin.close()
    assert runner.wait(5) == 0
