"""What a host is: read from /proc, /sys and a few files, without root and without starting a process."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from typing import Any, Optional

from . import network
from .dataclass import dataclass, field, fields


@dataclass(frozen=True)
class Wanted:
    """What a plan wants to know of a host besides what facts always tell.

    Attributes
    ----------
    packages
        Debian packages: their installed versions.
    ports
        TCP ports: who listens there.
    paths
        Absolute paths: whether they exist.
    """

    packages: "tuple[str, ...]" = ()
    ports: "tuple[int, ...]" = ()
    paths: "tuple[str, ...]" = ()


#: Nothing but what facts always tell.
NO_MORE = Wanted()


@dataclass(frozen=True)
class Facts:
    """What a host is.

    Attributes
    ----------
    hostname
        The kernel's node name.
    os, release, codename
        ``ID``, ``VERSION_ID`` and ``VERSION_CODENAME`` of os-release: ``debian 12 bookworm``, ``ubuntu 24.04 noble``.
        Raspberry Pi OS 64 bit calls itself ``debian``, the 32-bit one ``raspbian``.
    model
        The board's own name from the device tree; empty on a virtual Pi.
    architecture
        Debian's word: ``arm64``, ``armhf``, ``amd64``.
    cpus, memory
        Processors and bytes of memory that this host may use (its cgroup's limit where that is less).
    memory_total
        Bytes of memory in the machine.
    disk_free, disk_total
        Bytes on the file system of ``/``; free for root.
    read_only
        Whether ``/`` is mounted read-only.
    python
        Version of the interpreter, such as ``3.11.2``.
    kernel
        Its release.
    cgroup
        2 where the unified hierarchy has controllers, else 1.
    controllers
        Cgroup controllers there are to use; ``memory`` is missing on a Pi without the kernel argument.
    swap
        Bytes.
    clock, skew
        Seconds since the epoch on the host when it was asked, and how far that is ahead of the controller's clock
        (the controller fills it in; the time on the way is in it, so less than a second means nothing).
    boot_id, uptime
        The kernel's id of this boot; seconds since.
    systemd
        Whether systemd is PID 1.
    packages
        Installed version of each package that was asked for.
    addresses
        Addresses the host's own name resolves to there, in the order of /etc/hosts.
    address
        Where its packets to other hosts come from (the source address of its default route); empty without a route.
    interface
        Of its default route, such as ``eth0``, or of its only network; empty without one.
    manager
        What gives that interface its address: ``NetworkManager``, ``netplan``, ``dhcpcd``; empty for something else.
    networks
        IPv4 networks that it reaches without a gateway, and by which interface: ``10.1.1.0/24`` → ``eth0``.
    ports
        Those of the TCP ports asked for that are taken (as text) → by whom: ``python3 (pid 812, web.service)``.
    paths
        Those of the paths asked for that exist.
    """

    hostname: str
    os: str
    release: str
    codename: str
    model: str
    architecture: str
    cpus: int
    memory: int
    memory_total: int
    disk_free: int
    disk_total: int
    read_only: bool
    python: str
    kernel: str
    cgroup: int
    controllers: "tuple[str, ...]"
    swap: int
    clock: float
    boot_id: str
    uptime: float
    systemd: bool
    packages: "dict[str, str]" = field(default_factory=dict)
    addresses: "tuple[str, ...]" = ()
    skew: float = 0.0
    address: str = ""
    interface: str = ""
    manager: str = ""
    networks: "dict[str, str]" = field(default_factory=dict)
    ports: "dict[str, str]" = field(default_factory=dict)
    paths: "tuple[str, ...]" = ()

    @classmethod
    def from_json(cls, data: "dict[str, Any]") -> "Facts":
        """The facts that `asdict` wrote; what is not known here is passed over."""
        names = fields(cls)
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in names}
        return cls(**values)


def gather(wanted: Wanted = NO_MORE, root: str = "/") -> Facts:
    """Read the facts of this host."""

    def read(path: str) -> str:
        try:
            with open(os.path.join(root, path.lstrip("/")), errors="replace") as file:
                return file.read()
        except OSError:
            return ""  # a file that a kernel or a system does not have is a fact, too: each reader has its default

    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', read("/etc/os-release"), re.MULTILINE))
    meminfo = {k: int(v) * 1024 for k, v in re.findall(r"^(\w+):\s+(\d+) kB", read("/proc/meminfo"), re.MULTILINE)}
    total = meminfo.get("MemTotal", 0)
    disk = os.statvfs(root)
    version, controllers = _cgroup(read)
    hostname = os.uname().nodename
    interface = network.outward(read)
    return Facts(
        hostname=hostname,
        os=release.get("ID", ""),
        release=release.get("VERSION_ID", ""),
        codename=release.get("VERSION_CODENAME", ""),
        model=read("/proc/device-tree/model").strip("\0\n"),
        architecture=architecture(),
        cpus=len(os.sched_getaffinity(0)),
        memory=min(total, _memory_limit(read) or total),
        memory_total=total,
        disk_free=disk.f_bfree * disk.f_frsize,
        disk_total=disk.f_blocks * disk.f_frsize,
        read_only=bool(disk.f_flag & os.ST_RDONLY),
        python="%d.%d.%d" % sys.version_info[:3],
        kernel=os.uname().release,
        cgroup=version,
        controllers=controllers,
        swap=meminfo.get("SwapTotal", 0),
        clock=time.time(),
        boot_id=read("/proc/sys/kernel/random/boot_id").strip(),
        uptime=float((read("/proc/uptime").split() or ["0"])[0]),
        systemd=os.path.isdir("/run/systemd/system"),
        packages=_installed(read("/var/lib/dpkg/status"), set(wanted.packages)) if wanted.packages else {},
        addresses=tuple(
            line.split()[0] for line in read("/etc/hosts").splitlines() if hostname in line.split("#")[0].split()[1:]
        ),
        address=_address(),
        interface=interface,
        manager=network.manager(interface, read),
        networks=network.networks(read),
        ports=network.listeners(wanted.ports, read, root),
        paths=tuple(path for path in wanted.paths if os.path.lexists(os.path.join(root, path.lstrip("/")))),
    )


def _address() -> str:
    # Connecting a datagram socket sends nothing: the kernel only looks up the route. The addresses are documentation's.
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((somewhere, 9))
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return ""


def architecture() -> str:
    """Debian's word for what the programs of this machine are."""
    machine = os.uname().machine
    # A 64-bit kernel under a 32-bit system is common on Raspberry Pi OS: what the programs are is what counts.
    if machine == "aarch64" and sys.maxsize < 2**32:
        return "armhf"
    return {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "armv6l": "armhf"}.get(machine, machine)


def _cgroup(read: Any) -> "tuple[int, tuple[str, ...]]":
    unified = read("/sys/fs/cgroup/cgroup.controllers").split()
    if unified:
        return 2, tuple(unified)
    # A container may see a controller and not be allowed to use it.
    mounted = set(re.findall(r"^cgroup /sys/fs/cgroup/(\S+) cgroup rw\b", read("/proc/mounts"), re.MULTILINE))
    return 1, tuple(sorted({name for entry in mounted for name in entry.split(",")} - {"systemd"}))


def _memory_limit(read: Any) -> Optional[int]:
    """The limit of the cgroup that PID 1 lives in: a virtual Pi has one, a real one has none."""
    for line in read("/proc/1/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for file in (
            ("/sys/fs/cgroup" + path + "/memory.max") if not controllers else "",
            ("/sys/fs/cgroup/memory" + path + "/memory.limit_in_bytes") if "memory" in controllers.split(",") else "",
        ):
            text = read(file).strip() if file else ""
            if text.isdigit() and int(text) < 2**60:
                return int(text)
    return None


def _installed(status: str, wanted: "set[str]") -> "dict[str, str]":
    found = {}
    for paragraph in status.split("\n\n"):
        match = re.match(r"Package: (\S+)\nStatus: \S+ \S+ installed\n", paragraph)
        if match and match.group(1) in wanted:
            version = re.search(r"^Version: (\S+)", paragraph, re.MULTILINE)
            found[match.group(1)] = version.group(1) if version else ""
    return found
