"""A Pi as plans see it."""

from __future__ import annotations

from bramble.runner.facts import Facts

#: A Pi 4 with 4 GB as Raspberry Pi OS of 2023 leaves it; a case tells only what is different.
PI = Facts(
    hostname="",
    os="debian",
    release="12",
    codename="bookworm",
    model="Raspberry Pi 4 Model B Rev 1.4",
    architecture="arm64",
    cpus=4,
    memory=3_978_403_840,
    memory_total=3_978_403_840,
    disk_free=20 * 2**30,
    disk_total=29 * 2**30,
    read_only=False,
    python="3.11.2",
    kernel="6.1.0-rpi7-rpi-v8",
    cgroup=2,
    controllers=("cpuset", "cpu", "io", "pids"),
    swap=0,
    clock=0.0,
    boot_id="",
    uptime=60.0,
    systemd=True,
)
