"""Everyday commands on virtual Pis: files to all and back, terminals, restarts, and a board's lights.

A virtual Pi has no board: its lights and sensors are files laid over /sys. That real ones shine needs a Pi.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.lab.controller import Controller

from bramble.lab.testing import Lab

ODD = ("with space", "new\nline", "-rf", "über", "quote'\"", os.fsdecode(b"bad\xff"))

#: Bytes of a file that takes a second at least: it is cut off on its way.
LARGE = 200_000_000


def until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to become so."""
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not become so"
        time.sleep(0.2)


# Files


def test_files_to_all_hosts_and_back(controller: Controller, fresh_lab: Lab, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "shut" / "deep").mkdir(parents=True)
    for name in ODD:
        (tree / name).write_text(name, errors="surrogateescape")
    (tree / "script").write_text("#!/bin/sh\necho hello\n")
    (tree / "script").chmod(0o755)
    (tree / "out").symlink_to("/etc/passwd")
    first = controller.run("copy", str(tree))
    assert first.stdout == "red,red[01-02]: /home/pi: 11 changed\n", first.said
    again = controller.json("copy", str(tree))
    assert [(one["changed"], one["size"]) for one in again.report["data"]["copies"]] == [(0, 0)] * 3
    assert controller.run("run", "--", "./tree/script").stdout == "--- red,red[01-02] (3) ---\nhello\n"
    fetched = controller.run("fetch", "tree", "--into", str(tmp_path / "got"))
    assert "red,red[01-02]: 7 files" in fetched.stdout and "all the same" in fetched.stdout
    for host in fresh_lab.hosts:
        subprocess.run(["diff", "--recursive", "--no-dereference", tree, tmp_path / "got" / host / "tree"], check=True)

    # As root, for somebody else; and what a user may not do says how it is done.
    refused = controller.run("copy", str(tree / "script"), "--to", "/usr/local/bin/hello")
    assert refused.status == 1 and "Permission denied" in refused.stderr and "--sudo" in refused.stderr
    words = (
        "copy",
        str(tree / "script"),
        "--to",
        "/usr/local/bin/hello",
        "--sudo",
        "--owner",
        "daemon",
        "--mode",
        "0711",
    )
    assert controller.run(*words).status == 0
    assert fresh_lab.shell("red01", "stat --format '%a %U:%G' /usr/local/bin/hello") == "711 daemon:daemon\n"
    (tree / "script").write_text("#!/bin/sh\necho anew\n")
    assert controller.run("copy", str(tree / "script"), "--to", "/usr/local/bin/hello", "--sudo").status == 0
    assert fresh_lab.shell("red01", "stat --format '%a %U:%G' /usr/local/bin/hello") == "755 daemon:daemon\n"

    # One host that answers otherwise stands out; one that cannot does not stop the others.
    fresh_lab.shell("red02", "echo other >/etc/motd; rm /etc/debian_version")
    motd = controller.run("fetch", "/etc/motd", "--into", str(tmp_path / "got"))
    assert motd.status == 0 and "red,red01: 1 file" in motd.stdout and "red02: 1 file, 6 bytes" in motd.stdout
    lacking = controller.run("fetch", "/etc/debian_version", "--into", str(tmp_path / "got"))
    assert lacking.status == 1 and "failed: red02: /etc/debian_version cannot be read" in lacking.stderr
    assert (tmp_path / "got" / "red01" / "debian_version").exists()


def test_a_large_file_that_is_cut_off(controller: Controller, fresh_lab: Lab, tmp_path: Path) -> None:
    """By Ctrl-C here, and by a host's power: nothing half is left under its name, and the same command goes on."""
    with (tmp_path / "large").open("wb") as file:
        for _ in range(LARGE // 20_000_000):
            file.write(os.urandom(20_000_000))
    fresh_lab.shell("red01", "echo old >/home/pi/large; chown pi: /home/pi/large")

    def under_way(host: str) -> bool:
        return fresh_lab.shell(host, "ls -A /home/pi | grep -c ^.bramble-copy- || true").strip() == "1"

    running = controller.start("copy", str(tmp_path / "large"))
    running.until("step-progress", host="red01")
    assert under_way("red01")
    running.interrupt()
    assert running.finish().status == 130
    for host in fresh_lab.hosts:
        until(lambda host=host: not under_way(host))  # type: ignore[misc]
    assert fresh_lab.shell("red01", "cat /home/pi/large") == "old\n"

    running = controller.start("copy", str(tmp_path / "large"))
    running.until("step-progress", host="red01")
    fresh_lab.kill("red01")
    done = running.finish()
    assert done.status == 1
    assert done.outcomes() == {"red": "done", "red01": "failed", "red02": "done"}
    fresh_lab.start("red01")
    assert fresh_lab.shell("red01", "cat /home/pi/large") == "old\n"
    # What the cut left is old enough to be cleared away, as on a Pi that takes its time to start.
    fresh_lab.shell("red01", "find /home/pi -name '.bramble-copy-*' -exec touch -d '1 minute ago' {} +")
    again = controller.json("copy", str(tmp_path / "large"))
    assert {one["host"]: one["changed"] for one in again.report["data"]["copies"]} == {"red": 0, "red01": 1, "red02": 0}
    assert not under_way("red01")


def test_a_command_that_is_broken_off_is_not_said_to_go_on(controller: Controller) -> None:
    running = controller.start("run", "--json", "--", "sh", "-c", "sleep 50")  # what comes behind is its $0
    for _ in range(3):
        running.until("host-connected")
    running.interrupt()
    done = running.finish(20)
    assert done.status == 130 and "broken off" in done.stderr
    assert "on some hosts and not on others" in done.stderr and "go on" not in done.stderr


# Boards


def test_lights_and_sensors(controller: Controller, fresh_lab: Lab) -> None:
    board = """
        mount -t tmpfs tmpfs /sys/class
        mkdir -p /sys/class/leds/ACT /sys/class/thermal/thermal_zone0 /sys/class/hwmon/hwmon0
        cd /sys/class/leds/ACT; echo 'none [mmc0] timer' >trigger; echo 0 >brightness; echo 1 >max_brightness
        cd /sys/class/thermal/thermal_zone0; echo cpu-thermal >type; echo 81234 >temp
        cd /sys/class/hwmon/hwmon0; echo rpi_volt >name; echo 1 >in0_lcrit_alarm
    """
    fresh_lab.shell("red01", board)

    def trigger() -> str:
        return fresh_lab.shell("red01", "cat /sys/class/leds/ACT/trigger").strip()

    blinking = controller.run("led", "red01", "blink", "--seconds", "3")
    assert blinking.stdout == "red01: ACT blinks for 3 s (before: mmc0)\n", blinking.said
    assert trigger() == "timer"
    until(lambda: trigger() == "mmc0")  # with nobody connected
    shining = controller.run("led", "on", timeout=60)
    assert shining.status == 1 and "red01: ACT is on" in shining.stdout
    assert "red,red02: there is no light that Linux can switch" in shining.stderr
    assert fresh_lab.shell("red01", "cat /sys/class/leds/ACT/brightness") == "1"
    assert controller.run("led", "red01", "auto").status == 0
    assert trigger() == "mmc0"

    warm = {one["host"]: one["celsius"] for one in controller.run("temperature", "--json").events}
    assert warm == {"red": None, "red01": 81.234, "red02": None}
    held = {one["host"]: one["now"] for one in controller.run("throttled", "--json").events}
    assert held == {"red": None, "red01": ["under-voltage"], "red02": None}
    fresh_lab.cut("red02")
    busy = controller.run("load", "--connect-timeout", "2")
    assert busy.status == 1 and "red02: no answer" in busy.stdout and busy.stdout.count(" GB") >= 4
    fresh_lab.heal("red02")


def test_restarts_and_switching_off(controller: Controller, fresh_lab: Lab) -> None:
    def boots() -> dict[str, str]:
        return {host: fresh_lab.shell(host, "cat /proc/sys/kernel/random/boot_id") for host in fresh_lab.hosts}

    assert controller.run("reboot").status == 2  # nobody was asked
    before = boots()
    # Where a run is at work, nothing is cut off; the others restart all the same.
    with at_work(fresh_lab, "red01"):
        done = controller.json("reboot", "--yes")
    assert done.outcomes() == {"red": "done", "red01": "failed", "red02": "done"}
    assert done.failure("red01")["error"] == "HostBusy"
    after = boots()
    assert {host: after[host] != before[host] for host in after} == {"red": True, "red01": False, "red02": True}

    done = controller.json("reboot", "--yes", "--one-by-one")
    assert done.status == 0
    order = [event["host"] for event in done.events if event["kind"] == "host-rebooting"]
    assert order == ["red01", "red02", "red"]  # the manager last
    assert all(boots()[host] != after[host] for host in after)

    off = controller.run("poweroff", "--hosts", "red02", "--yes", "--connect-timeout", "2")
    assert off.status == 0 and off.stdout.startswith("red02: no longer answering"), off.said
    until(lambda: fresh_lab.status.host("red02").power == "off")
    asleep = controller.run("wake", "--connect-timeout", "2")
    assert asleep.status == 1 and asleep.stdout == "red,red01: on\n"
    assert "red02: a Raspberry Pi cannot be woken over the network" in asleep.stderr
    fresh_lab.start("red02")


@contextmanager
def at_work(lab: Lab, host: str) -> Iterator[None]:
    """Somebody's run holds the lock of a host."""
    hold = """
        mkdir -p /run/bramble
        systemd-run --unit=held --quiet flock /run/bramble/lock sleep 600
        until ! flock --nonblock /run/bramble/lock true; do sleep 0.1; done
    """
    lab.shell(host, hold)
    try:
        yield
    finally:
        lab.shell(host, "systemctl stop held")


# Terminals


class Screen:
    """A terminal that somebody looks at, and the tmux that runs for it alone."""

    def __init__(self, controller: Controller, folder: Path, *words: str, lines: int = 40) -> None:
        folder.mkdir()
        self.env = {**controller.env, "TMUX_TMPDIR": str(folder), "TERM": "xterm-256color", "SHELL": "/bin/sh"}
        self.env.pop("TMUX", None)
        here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 150, 0, 0))
        command = [sys.executable, "-m", "bramble", *words]
        self.process = subprocess.Popen(
            command, stdin=there, stdout=there, stderr=there, env=self.env, start_new_session=True
        )
        os.close(there)
        self._here, self.shown = here, b""
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        try:
            while data := os.read(self._here, 65536):
                self.shown += data
        except OSError:
            return  # the terminal is gone

    def type(self, text: str) -> None:
        """Type something into the terminal."""
        os.write(self._here, text.encode())

    def tmux(self, *words: str) -> list[str]:
        """What tmux answers, line by line."""
        return subprocess.run(["tmux", *words], env=self.env, capture_output=True, text=True).stdout.splitlines()

    def panes(self, of: str = "") -> dict[str, str]:
        """The panes with a host, and what each shows."""
        listed = self.tmux("list-panes", "-a", "-F", "#{@host} #{pane_id}")
        shown = (line.split() for line in listed if not line.startswith(" "))
        return {host: "\n".join(self.tmux("capture-pane", "-p", "-t", pane)) for host, pane in shown}

    def close(self) -> None:
        """Everybody goes home."""
        self.tmux("kill-server")
        self.process.kill()
        self.process.wait()
        os.close(self._here)


@pytest.fixture
def screen(controller: Controller, tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    opened: list[Screen] = []

    def opener(*words: str) -> Screen:
        opened.append(Screen(controller, tmp_path / f"tmux{len(opened)}", *words))
        return opened[-1]

    yield opener
    for one in opened:
        one.close()


def test_terminals(controller: Controller, fresh_lab: Lab, screen: Callable[..., Screen]) -> None:
    """All at once by tmux; one alone; through another host; and never one whose key is another."""
    everyone = screen("shell")
    until(lambda: len(everyone.panes()) == 3 and all("$" in shown for shown in everyone.panes().values()))
    everyone.type("echo I am $(hostname)\r")
    until(lambda: all(f"I am {host}" in shown.splitlines() for host, shown in everyone.panes().items()))
    assert b"keystrokes go to all hosts" in everyone.shown
    # The key that the status line tells of.
    everyone.type("\x02S")
    until(lambda: everyone.tmux("list-panes", "-a", "-F", "#{pane_synchronized}") == ["0"] * 3)
    everyone.type("echo $((40 + 2))\r")
    until(lambda: any("42" in shown.splitlines() for shown in everyone.panes().values()))
    assert sum("42" in shown.splitlines() for shown in everyone.panes().values()) == 1
    # Inside tmux it is one more window there.
    inside = subprocess.list2cmdline([sys.executable, "-m", "bramble", "shell", "--hosts", "red[01-02]", "--no-sync"])
    everyone.tmux("new-window", inside)
    until(lambda: len(everyone.tmux("list-panes", "-a")) == 5)
    until(lambda: everyone.tmux("list-panes", "-a", "-F", "#{pane_synchronized}") == ["0"] * 5)

    gate = fresh_lab.address("red")
    alone = screen("shell", "--hosts", "red02", "--jump", f"pi@{gate}")
    until(lambda: b"pi@red02" in alone.shown)
    alone.type("echo $SSH_CLIENT\r")
    until(lambda: re.search(rf"{re.escape(gate)} \d+ 22".encode(), alone.shown) is not None)
    alone.type("exit 3\r")
    assert alone.process.wait(timeout=20) == 3

    fresh_lab.shell("red02", "rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh")
    stranger = screen("shell", "--hosts", "red02")
    assert stranger.process.wait(timeout=30) == 1
    until(lambda: b"its key has changed" in stranger.shown)
    piped = controller.run("shell", "--hosts", "red01")
    assert piped.status == 2 and "no terminal" in piped.stderr
    fresh_lab.reset("red02")  # others find it under the key that they know
