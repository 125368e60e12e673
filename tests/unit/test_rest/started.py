"""`bramble serve` in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

#: Of ada, the first admin.
PASSWORD = "correct horse battery"

#: Starts one with these options.
Start = Callable[..., "Started"]


class Started:
    """A service that was started, and what it said at first."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bramble", "serve", "--port", "0", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            pytest.fail(f"it did not start: {self.process.communicate()[1]}")
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """End it; how it ended, and what it said."""
        assert self.process.stdout and self.process.stderr
        self.process.send_signal(how)
        status = self.process.wait(timeout=60)
        # Not by `communicate`, which knows nothing of what came along with the first line.
        return status, self.process.stdout.read(), self.process.stderr.read()
