"""Links as slow as a small switch's: 100 Mbit/s each way, for every host and for the controller."""

from __future__ import annotations

from collections.abc import Iterable

from bench.measure import command
from bramble import lab

#: Bits a second.
RATE = 100e6

_SLOW = "root tbf rate 100mbit burst 128k latency 50ms"

#: Both ways of a host's; what comes in goes through a device of its own, because only what goes out can be held back.
_HOST = f"""
card=$(ip -o route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/')
tc qdisc replace dev $card {_SLOW}
ip link add limited type ifb && ip link set limited up
tc qdisc add dev $card ingress
tc filter add dev $card parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev limited
tc qdisc add dev limited {_SLOW}
"""


def slow(name: str, hosts: Iterable[str], bridge: str = "") -> None:
    """Slow down the links of a lab's hosts and, by the lab's bridge, the one that leads from here to all of them.

    What hosts say to each other does not go through the bridge's own device.
    """
    for host in hosts:
        lab.execute(name, host, ["sh", "-ec", _HOST])
    if bridge:
        command(["tc", "qdisc", "replace", "dev", bridge, *_SLOW.split()])
