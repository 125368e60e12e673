"""The lights of a board, on files that look like the kernel's. That they shine needs a board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bramble.runner.board import Light, shut_down
from bramble.runner.step import StepError
from bramble.runner.system import Output, System


class Quiet(System):
    """A system whose commands are written down, and not run."""

    def __init__(self, root: Path, status: int = 0) -> None:
        super().__init__(str(root))
        self.ran: list[str] = []
        self.status = status

    def run(self, argv: Sequence[str], **_: Any) -> Output:
        self.ran.append(" ".join(argv))
        return Output(self.status, "", "no such unit")


@pytest.fixture
def act(tmp_path: Path) -> Path:
    light = tmp_path / "sys/class/leds/ACT"
    light.mkdir(parents=True)
    for name, text in (("trigger", "none [mmc0] timer\n"), ("brightness", "0\n"), ("max_brightness", "255\n")):
        (light / name).write_text(text)
    (tmp_path / "sys/class/leds/mmc0::").mkdir()
    return light


def shows(light: Path) -> tuple[str, str]:
    return (light / "trigger").read_text().strip(), (light / "brightness").read_text().strip()


def test_it_blinks_and_its_host_puts_it_back(tmp_path: Path, act: Path) -> None:
    system = Quiet(tmp_path)
    assert Light(system, "").set("blink", 30) == "mmc0"
    assert shows(act) == ("timer", "0")
    assert (act / "delay_on").read_text() == "100"
    later = system.ran[-1]
    assert later.startswith("systemd-run") and "--on-active=30s" in later
    assert f"echo mmc0 >{act}/trigger" in later


def test_it_remembers_what_was_there_first(tmp_path: Path, act: Path) -> None:
    for state, shown in (("on", ("none", "255")), ("off", ("none", "0")), ("blink", ("timer", "0"))):
        Light(Quiet(tmp_path), "ACT").set(state, 0)
        assert shows(act) == shown
    assert Light(Quiet(tmp_path), "ACT").set("auto", 0) == "mmc0"
    assert shows(act)[0] == "mmc0"
    assert list((tmp_path / "run/bramble").iterdir()) == []


def test_one_that_was_dark_by_hand_is_dark_again(tmp_path: Path, act: Path) -> None:
    (act / "trigger").write_text("[none] mmc0 timer\n")
    Light(Quiet(tmp_path), "").set("on", 0)
    Light(Quiet(tmp_path), "").set("auto", 0)
    assert shows(act) == ("none", "0")


def test_a_trigger_that_is_a_module_is_loaded(tmp_path: Path, act: Path) -> None:
    (act / "trigger").write_text("none [mmc0]\n")
    system = Quiet(tmp_path)
    Light(system, "").set("blink", 0)
    assert "modprobe ledtrig-timer" in system.ran


@pytest.mark.parametrize(
    ("there", "chosen"), [(("PWR",), "PWR"), (("led1", "led0"), "led0"), (("PWR", "ACT", "input0::capslock"), "ACT")]
)
def test_the_light_of_a_model(tmp_path: Path, there: tuple[str, ...], chosen: str) -> None:
    for name in there:
        (tmp_path / "sys/class/leds" / name).mkdir(parents=True)
    assert Light(Quiet(tmp_path), "").name == chosen


def test_no_light_at_all(tmp_path: Path, act: Path) -> None:
    with pytest.raises(StepError) as unknown:
        Light(Quiet(tmp_path), "PWR")
    assert (unknown.value.why, unknown.value.hint) == ("there are ACT, mmc0::", "name one of them: --light ACT")
    with pytest.raises(StepError) as none:
        Light(Quiet(tmp_path / "elsewhere"), "")
    assert "is empty" in none.value.why


def test_a_host_that_will_not_go_down(tmp_path: Path) -> None:
    kernel = tmp_path / "proc/sys/kernel/random"
    kernel.mkdir(parents=True)
    (kernel / "boot_id").write_text("of-now\n")
    assert shut_down(system := Quiet(tmp_path), "poweroff") == "of-now"
    assert system.ran[-1].endswith("systemctl poweroff")
    with pytest.raises(StepError, match="could not be told to reboot"):
        shut_down(Quiet(tmp_path, status=1), "reboot")
