"""Who listens where, and which networks a host is in, out of what the kernel tells."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bramble.runner import facts
from bramble.runner.facts import Wanted
from bramble.runner.network import listeners, networks

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101010A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0001010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
flannel.1\t0001F40A\t0001F40A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
wg0\t0500A8C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def read(path: str) -> str:
    return Path(path).read_text()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["ipv4", "ipv6"])
def test_who_listens_is_named(family: socket.AddressFamily) -> None:
    with socket.socket(family) as listening:
        listening.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        port = listening.getsockname()[1]
        assert listeners([port], read) == {}  # bound, but nobody can connect
        listening.listen()
        found = listeners([port, 1], read)
        assert list(found) == [str(port)]
        assert found[str(port)].startswith(f"{read('/proc/self/comm').strip()} (pid {os.getpid()}")
        assert facts.gather(Wanted(ports=(port,), paths=("/proc", "/no/such"))).paths == ("/proc",)
    assert listeners([port], read) == {}


def test_a_unit_is_named_and_a_holder_that_cannot_be_seen_is_no_fault(tmp_path: Path) -> None:
    row = (
        "   0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 100 0 0 10 0"
    )
    files = {
        "/proc/net/tcp": f"  sl  local_address\n{row}\n",
        "/proc/12/comm": "python3\n",
        "/proc/12/cgroup": "5:memory:/system.slice/web.service\n0::/system.slice/web.service\n",
    }
    (tmp_path / "proc" / "12" / "fd").mkdir(parents=True)
    (tmp_path / "proc" / "13").mkdir()
    (tmp_path / "proc" / "12" / "fd" / "3").symlink_to("socket:[77]")

    def played(path: str) -> str:
        return files.get(path, "")

    assert listeners([6443], played, str(tmp_path)) == {"6443": "python3 (pid 12, web.service)"}
    (tmp_path / "proc" / "12" / "fd" / "3").unlink()
    assert listeners([6443], played, str(tmp_path)) == {"6443": "a program that cannot be seen"}


def test_networks_without_a_gateway() -> None:
    assert networks(lambda _: ROUTES) == {"10.1.1.0/24": "eth0", "172.17.0.0/16": "docker0"}
    assert networks(lambda _: "") == {}
