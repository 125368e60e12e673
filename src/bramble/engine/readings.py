"""What a board says of itself: one small script a host, without root and with nothing installed, and what it means.

The scripts use what every shell has; where a file is not there they say nothing, and the reading stays empty: a host
without a sensor is not at 0 °C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

#: Degrees Celsius from which a board is warm, and hot: from 80 °C on the firmware slows the processors down step by
#: step, and at 85 °C it lowers all clocks (Raspberry Pi documentation, "Frequency management and thermal control").
WARM, HOT = 70.0, 80.0

#: What the bits of ``get_throttled`` mean (Raspberry Pi documentation, "vcgencmd", get_throttled); the same 16 higher
#: say that it was so at some time since the host was switched on.
THROTTLED = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read on one host.

    Attributes
    ----------
    host
        Its name.
    error
        Why it could not be asked; empty where it was.
    """

    script: ClassVar[str] = ""

    host: str
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Temperature(Reading):
    """How warm a board is.

    Attributes
    ----------
    celsius
        Of the processor; None where the host has no sensor.
    clock
        Hertz that the first processor runs at now; None where the host does not tell.
    """

    script: ClassVar[str] = """
for zone in /sys/class/thermal/thermal_zone*; do
  { read -r kind <"$zone/type" && read -r now <"$zone/temp" && echo "zone $now $kind"; } 2>/dev/null
done
{ read -r clock </sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq && echo "clock $clock"; } 2>/dev/null
exit 0"""

    celsius: float | None = None
    clock: int | None = None

    @classmethod
    def parse(cls, host: str, text: str) -> Self:
        """What the script printed: the zone that is the processor's, else the warmest."""
        zones = [(int(now) / 1000, kind) for now, kind in re.findall(r"^zone (-?\d+) (\S+)", text, re.MULTILINE)]
        own = [celsius for celsius, kind in zones if re.search(r"cpu|soc|x86_pkg", kind)]
        clock = re.search(r"^clock (\d+)", text, re.MULTILINE)
        return cls(
            host=host,
            celsius=max(own or [celsius for celsius, _ in zones], default=None),
            clock=int(clock[1]) * 1000 if clock else None,
        )


@dataclass(frozen=True, kw_only=True)
class Load(Reading):
    """How busy a host is. All but ``host`` and ``error`` is None where the host does not tell.

    Attributes
    ----------
    load
        Processes that run or wait, on average over 1, 5 and 15 minutes.
    cpus
        Processors that they share.
    memory, memory_used
        Bytes of memory, and how many of them are neither free nor given back at once when they are wanted.
    disk, disk_used
        Bytes on the file system of ``/``.
    uptime
        Seconds since it was started.
    """

    script: ClassVar[str] = """
read -r load </proc/loadavg && echo "load $load"
echo "cpus $(nproc)"
while read -r name kilobytes _; do
  case $name in MemTotal: | MemAvailable:) echo "$name $kilobytes" ;; esac
done </proc/meminfo
df -P -k / | while read -r _ size used _; do echo "disk $size $used"; done
read -r up _ </proc/uptime && echo "up $up"
exit 0"""

    load: tuple[float, float, float] | None = None
    cpus: int | None = None
    memory: int | None = None
    memory_used: int | None = None
    disk: int | None = None
    disk_used: int | None = None
    uptime: float | None = None

    @classmethod
    def parse(cls, host: str, text: str) -> Self:
        """What the script printed."""

        def numbers(pattern: str) -> list[float]:
            found = re.search(pattern, text, re.MULTILINE)
            return [float(number) for number in found.groups()] if found else []

        load = numbers(r"^load (\S+) (\S+) (\S+)")
        cpus = numbers(r"^cpus (\d+)$")
        total, available = numbers(r"^MemTotal: (\d+)"), numbers(r"^MemAvailable: (\d+)")
        disk = numbers(r"^disk (\d+) (\d+)")
        up = numbers(r"^up ([\d.]+)")
        return cls(
            host=host,
            load=(load[0], load[1], load[2]) if load else None,
            cpus=int(cpus[0]) if cpus else None,
            memory=int(total[0]) * 1024 if total else None,
            memory_used=int(total[0] - available[0]) * 1024 if total and available else None,
            disk=int(disk[0]) * 1024 if disk else None,
            disk_used=int(disk[1]) * 1024 if disk else None,
            uptime=up[0] if up else None,
        )


@dataclass(frozen=True, kw_only=True)
class Throttling(Reading):
    """Whether the firmware holds a board back, and why.

    Attributes
    ----------
    now, since_start
        ``under-voltage``, ``frequency capped``, ``throttled``, ``soft temperature limit``: what holds at this moment,
        and what did at some time since the host was switched on. None where the host does not tell.
    bits
        The firmware's own number, as ``0x50005``; empty where it was not told.
    source
        Where it was read: ``vcgencmd``; else ``sysfs`` or ``hwmon``, which know of this moment only, and the latter of
        nothing but under-voltage.
    """

    # vcgencmd alone knows what was since the start: the kernel's driver makes the firmware forget it for itself every
    # two seconds (drivers/hwmon/raspberrypi-hwmon.c). The file in sysfs makes newer kernels write a warning, once.
    script: ClassVar[str] = """
PATH=$PATH:/usr/bin:/opt/vc/bin
vcgencmd get_throttled 2>/dev/null | grep throttled= && exit 0
for file in /sys/devices/platform/soc*/*firmware/get_throttled /sys/devices/platform/soc*/*/*firmware/get_throttled; do
  { read -r bits <"$file" && echo "sysfs=$bits" && exit 0; } 2>/dev/null
done
for chip in /sys/class/hwmon/hwmon*; do
  { read -r name <"$chip/name" && [ "$name" = rpi_volt ] && read -r alarm <"$chip/in0_lcrit_alarm"; } 2>/dev/null &&
    echo "hwmon=$alarm" && exit 0
done
exit 0"""

    now: tuple[str, ...] | None = None
    since_start: tuple[str, ...] | None = None
    bits: str = ""
    source: str = ""

    @classmethod
    def parse(cls, host: str, text: str) -> Self:
        """What the script printed."""
        found = re.search(r"^(throttled=0x|sysfs=|hwmon=)([0-9a-fA-F]+)$", text, re.MULTILINE)
        if not found:
            return cls(host=host)
        bits = int(found[2], 16)
        now = tuple(_meanings(bits))
        if found[1] == "throttled=0x":
            return cls(
                host=host, now=now, since_start=tuple(_meanings(bits >> 16)), bits=f"{bits:#x}", source="vcgencmd"
            )
        if found[1] == "sysfs=":
            return cls(host=host, now=now, bits=f"{bits:#x}", source="sysfs")
        return cls(host=host, now=now, source="hwmon")  # its alarm is 1 for under-voltage, as is the first bit


def _meanings(bits: int) -> Iterator[str]:
    return (meaning for bit, meaning in THROTTLED.items() if bits >> bit & 1)
