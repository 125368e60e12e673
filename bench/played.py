"""A host that speaks the runner's protocol and does nothing: what the controller costs, and nothing else."""

from __future__ import annotations

import json
import os
from typing import Any, Protocol

from bramble.connection.inbox import Inbox


class Screen(Protocol):
    """Where a played host prints."""

    def write(self, data: bytes) -> None:
        """Print."""


async def runner(command: str, stdin: Inbox, stdout: Screen) -> int:
    """Answer as the runner of a host on which every step finds nothing to change."""

    def say(**message: Any) -> None:
        stdout.write(json.dumps(message).encode() + b"\n")

    say(kind="hello", python="3.11.2", root=True)
    while await stdin.readline() not in (b"bramble\n", b""):
        pass
    say(kind="ready")
    while line := await stdin.readline():
        request = json.loads(line)
        if request["do"] == "facts":
            say(kind="facts-gathered", facts=FACTS)
        elif request["do"] == "lock":
            say(kind="locked")
        elif request["do"] in ("group", "undo"):
            title = request["group"]
            steps = request.get("steps", ())
            say(kind="group-started", group=title, steps=len(steps))
            for number, step in enumerate(steps, 1):
                say(kind="step-started", group=title, step=step["type"], number=number)
                say(kind="step-done", group=title, step=step["type"], outcome="unchanged")
            say(kind="group-done", group=title)
    return 0


FACTS = {
    "hostname": "red",
    "os": "debian",
    "release": "12",
    "codename": "bookworm",
    "model": "",
    "architecture": "arm64",
    "cpus": 4,
    "memory": 4 << 30,
    "memory_total": 4 << 30,
    "disk_free": 1 << 34,
    "disk_total": 1 << 35,
    "read_only": False,
    "python": "3.11.2",
    "kernel": os.uname().release,
    "cgroup": 2,
    "controllers": ["cpu", "memory"],
    "swap": 0,
    "clock": 0.0,
    "boot_id": "played",
    "uptime": 1.0,
    "systemd": True,
}
