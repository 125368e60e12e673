"""What boards say of themselves: the scripts on this machine, and what their words mean."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bramble import api
from bramble.connection import FakeHosts
from bramble.engine.readings import Load, Reading, Temperature, Throttling
from bramble.errors import Unreachable


@pytest.mark.parametrize(
    ("text", "celsius", "clock"),
    [
        ("zone 48312 cpu-thermal\nclock 1500000\n", 48.312, 1_500_000_000),
        ("zone 20000 acpitz\nzone 61500 x86_pkg_temp\nzone 90000 iwlwifi_1\n", 61.5, None),
        ("zone 20000 acpitz\nzone 35000 pch\n", 35.0, None),
        ("zone -3000 cpu-thermal\n", -3.0, None),
        ("clock 600000\n", None, 600_000_000),
        ("", None, None),
    ],
)
def test_a_temperature(text: str, celsius: float | None, clock: int | None) -> None:
    assert Temperature.parse("red", text) == Temperature(host="red", celsius=celsius, clock=clock)


def test_a_load() -> None:
    text = (
        "load 0.52 1.20 0.90 2/153 4242\ncpus 4\nMemTotal: 1000\nMemAvailable: 400\ndisk 30000 12000\nup 93784.25 1.0\n"
    )
    assert Load.parse("red", text) == Load(
        host="red", load=(0.52, 1.2, 0.9), cpus=4, memory=1_024_000, memory_used=614_400,
        disk=30_720_000, disk_used=12_288_000, uptime=93784.25,
    )  # fmt: skip
    assert Load.parse("red", "sh: 1: nproc: not found\n") == Load(host="red")


@pytest.mark.parametrize(
    ("text", "now", "ever", "source"),
    [
        ("throttled=0x0\n", (), (), "vcgencmd"),
        ("throttled=0x50005\n", ("under-voltage", "throttled"), ("under-voltage", "throttled"), "vcgencmd"),
        ("throttled=0x80008", ("soft temperature limit",), ("soft temperature limit",), "vcgencmd"),
        ("throttled=0xe0000", (), ("frequency capped", "throttled", "soft temperature limit"), "vcgencmd"),
        ("sysfs=50005\n", ("under-voltage", "throttled"), None, "sysfs"),
        ("hwmon=1\n", ("under-voltage",), None, "hwmon"),
        ("hwmon=0\n", (), None, "hwmon"),
        ("", None, None, ""),
        ("VCHI initialization failed\n", None, None, ""),
    ],
)
def test_what_holds_a_board_back(
    text: str, now: tuple[str, ...] | None, ever: tuple[str, ...] | None, source: str
) -> None:
    found = Throttling.parse("red", text)
    assert (found.now, found.since_start, found.source) == (now, ever, source)


@pytest.mark.parametrize("kind", [Temperature, Load, Throttling])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_script_runs_anywhere(kind: type[Reading], shell: str) -> None:
    """Whatever this machine has or lacks, the script ends well and says nothing on the side."""
    done = subprocess.run([shell, "-c", kind.script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_reads_what_linux_shows(tmp_path: Path) -> None:
    zone = tmp_path / "class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("55000\n")
    chip = tmp_path / "class/hwmon/hwmon1"
    chip.mkdir(parents=True)
    (chip / "name").write_text("rpi_volt\n")
    (chip / "in0_lcrit_alarm").write_text("1\n")

    def said(kind: type[Reading]) -> str:
        script = kind.script.replace("/sys", str(tmp_path)).replace("vcgencmd", "no-such-program")
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout

    assert Temperature.parse("red", said(Temperature)).celsius == 55.0
    assert Throttling.parse("red", said(Throttling)).now == ("under-voltage",)
    firmware = tmp_path / "devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    (firmware / "get_throttled").write_text("4\n")
    assert Throttling.parse("red", said(Throttling)).now == ("throttled",)


async def test_all_hosts_are_asked_and_those_that_fail_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = FakeHosts(
        {
            "red": {"sh -c *": "zone 40000 cpu-thermal\n"},
            "red01": Unreachable("no answer within 3 s", host="red01", hint="is it on?"),
            "red02": {"sh -c *": ""},
        }
    )

    async def opened(host: object, _: object) -> object:
        return await hosts(host)  # type: ignore[arg-type]

    monkeypatch.setattr("bramble.api.each.connect", opened)
    found = await api.temperature(hosts="red,red[01-02]")
    assert [(one.host, one.celsius, one.error) for one in found] == [
        ("red", 40.0, ""),
        ("red01", None, "no answer within 3 s (is it on?)"),
        ("red02", None, ""),
    ]
