"""What a person does to a board: its lights, a restart, switching it off. A process of its own, as `backup` is.

It answers one request, a JSON line:

``light``    ``light`` (a name below `LEDS`, or empty for the one that is there to show activity), ``state`` (``blink``,
             ``on``, ``off`` or ``auto``: as it was before the first of these), ``seconds`` until it is again as it was
             (0: stays): answers with the ``light`` and its ``trigger`` of before
``restart``  answers with the ``boot_id`` of now, and restarts the host a moment later
``off``      answers, and switches the host off a moment later
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sys
from typing import IO, Any

from .step import StepError, failure
from .steps.boot_partition import boot_id
from .system import System

#: Where the kernel shows the lights that it can switch.
LEDS = "/sys/class/leds"

#: The lights of a Raspberry Pi, the best to find it by first. ``led0`` and ``led1`` are ``ACT`` and ``PWR`` to older
#: kernels; a Pi 400 has no ``ACT``, a Zero no ``PWR`` (device trees of github.com/raspberrypi/linux).
LIGHTS = ("ACT", "led0", "PWR", "led1")

#: What was there before lies here until it is put back; a restart does that by itself, and empties /run.
SAVED = "/run/bramble"

#: Milliseconds that a blinking light is on, and off: quicker than it shows a card at work, so that it is told apart.
BLINK = 100

#: Seconds until a restart begins: long enough for the answer to reach the controller.
NOTICE = 1


class Light:
    """One light of the board.

    Raises
    ------
    StepError
        There is none, or none of this name; says which there are.
    """

    def __init__(self, system: System, name: str) -> None:
        folder = system.path(LEDS)
        there = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        # Those of network cards and keyboards are called after them: mmc0::, input0::capslock.
        own = [light for light in LIGHTS if light in there]
        if not (name in there if name else own):
            raise StepError(
                f"there is no light {name} that Linux can switch"
                if name
                else "there is no light that Linux can switch",
                why=f"there are {', '.join(there)}" if there else f"{LEDS} is empty, as on a host that is no board",
                hint=f"name one of them: --light {(own or there)[0]}" if there else "",
            )
        self.name = name or own[0]
        self.path = os.path.join(folder, self.name)
        self._system = system
        self._saved = system.path(os.path.join(SAVED, f"light-{self.name}.json"))
        self._timer = f"bramble-light-{re.sub(r'[^A-Za-z0-9]', '-', self.name)}"

    @property
    def trigger(self) -> str:
        """What makes it shine now: ``mmc0`` of ``none [mmc0] timer``."""
        text = self._read("trigger")
        chosen = re.search(r"\[([^]]+)\]", text)
        return chosen.group(1) if chosen else text

    def set(self, state: str, seconds: float) -> str:
        """Let it blink, shine or be dark, or put back what was there. Returns what made it shine before all this.

        Raises
        ------
        OSError
            The kernel does not take it.
        """
        before = self._before()
        self._system.run(["systemctl", "stop", f"{self._timer}.timer"])  # of an earlier time; there may be none
        if state == "auto":
            self._write("trigger", before["trigger"])
            if before["trigger"] == "none":
                self._write("brightness", before["brightness"])
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._saved)
            return before["trigger"]
        self._save(before)
        if state == "blink":
            self._blink()
        else:
            self._write("trigger", "none")
            self._write("brightness", self._read("max_brightness") if state == "on" else "0")
        if seconds:
            self._back_in(seconds, before)
        return before["trigger"]

    def _blink(self) -> None:
        if "timer" not in self._read("trigger"):
            self._system.run(["modprobe", "ledtrig-timer"])  # Ubuntu's kernel has it as a module
        self._write("trigger", "timer")
        for file in ("delay_on", "delay_off"):
            self._write(file, str(BLINK))

    def _back_in(self, seconds: float, before: "dict[str, str]") -> None:
        """By a timer of systemd's, so that it happens whatever becomes of the connection and of the controller."""
        put = [("trigger", before["trigger"])]
        put += [("brightness", before["brightness"])] if before["trigger"] == "none" else []
        words = [f"echo {shlex.quote(value)} >{shlex.quote(os.path.join(self.path, file))}" for file, value in put]
        script = "; ".join([*words, f"rm -f {shlex.quote(self._saved)}"])
        later = ["systemd-run", "--quiet", "--collect", f"--unit={self._timer}", f"--on-active={seconds}s"]
        self._system.must(
            [*later, "--timer-property=AccuracySec=100ms", "sh", "-c", script],
            "it shines, but nothing could be set up to put it back",
        )

    def _before(self) -> "dict[str, str]":
        try:
            with open(self._saved) as file:
                saved: dict[str, str] = json.load(file)
                return saved
        except FileNotFoundError:
            return {"trigger": self.trigger, "brightness": self._read("brightness")}

    def _save(self, before: "dict[str, str]") -> None:
        os.makedirs(os.path.dirname(self._saved), exist_ok=True)
        new = f"{self._saved}.new"
        with open(new, "w") as file:
            json.dump(before, file)
        os.replace(new, self._saved)

    def _read(self, name: str) -> str:
        with open(os.path.join(self.path, name)) as file:
            return file.read().strip()

    def _write(self, name: str, value: str) -> None:
        with open(os.path.join(self.path, name), "w") as file:
            file.write(value)


def shut_down(system: System, how: str) -> str:
    """Let systemd restart the host, or switch it off, a moment from now. Returns the id of this boot.

    Raises
    ------
    StepError
        systemd refused.
    """
    now = boot_id(system)
    later = ["systemd-run", "--quiet", "--collect", f"--on-active={NOTICE}s", "--timer-property=AccuracySec=100ms"]
    system.must([*later, "systemctl", how], f"the host could not be told to {how}")
    return now


def main(stdin: "IO[bytes]" = sys.stdin.buffer, stdout: "IO[bytes]" = sys.stdout.buffer) -> None:
    """Answer the controller at the other end of these streams."""
    request = json.loads(stdin.readline())
    stdout.write(json.dumps(_answer(request), separators=(",", ":")).encode() + b"\n")
    stdout.flush()


def _answer(request: "dict[str, Any]") -> "dict[str, Any]":
    system = System()
    try:
        if request["do"] == "light":
            light = Light(system, request["light"])
            return {"kind": "light", "light": light.name, "trigger": light.set(request["state"], request["seconds"])}
        return {"kind": "told", "boot_id": shut_down(system, {"restart": "reboot", "off": "poweroff"}[request["do"]])}
    except (StepError, OSError) as error:
        return failure(error)
