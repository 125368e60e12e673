"""A lab's own network: one bridge, one cable a host, one nftables table. Nothing else of the machine is touched.

The one exception is told plainly: the kernel must be allowed to forward what comes back for the hosts, so forwarding is
switched on for the machine's outward interface (not globally), and off again with the last lab if it was off before.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from bramble.errors import BrambleError
from bramble.lab.process import run
from bramble.lab.state import HostSpec, LabSpec, is_bridge_name

_RANGE = IPv4Network("10.77.0.0/16")
#: Names interfaces whose forwarding a lab switched on. The machine's, not a lab's; goes with a reboot, as that does.
_FORWARDING = Path("/run/bramble-lab-forwarding")


def _ip(*words: str) -> list[dict[str, Any]]:
    """One question to ``ip`` in JSON."""
    return list(json.loads(run(["ip", "-json", *words], what="asking for the machine's network") or "[]"))


def free_subnet() -> str:
    """A /24 of 10.77.0.0/16 that nothing on this machine uses or has a route to.

    Raises
    ------
    BrambleError
        All 256 are taken.
    """
    for subnet in _RANGE.subnets(new_prefix=24):
        if is_free(subnet):
            return str(subnet)
    raise BrambleError(f"no free subnet in {_RANGE}", hint="bramble lab down for labs that are not needed")


def is_free(subnet: IPv4Network) -> bool:
    """Whether no address or route of this machine, but the default one, touches a subnet."""
    routes = [str(route.get("dst")) for route in _ip("-4", "route", "show", "table", "all")]
    addresses = [a for link in _ip("-4", "address", "show") for a in link.get("addr_info", ())]
    taken = [route for route in routes if "/" in route and not route.endswith("/0")]
    taken += [f"{address['local']}/{address['prefixlen']}" for address in addresses]
    return not any(subnet.overlaps(IPv4Network(other, strict=False)) for other in taken)


def _uplinks() -> list[str]:
    """Interfaces that default routes lead out of."""
    return sorted({route["dev"] for route in _ip("-4", "route", "show", "default") if "dev" in route})


def exists(lab: LabSpec) -> bool:
    """Whether the lab's bridge is there."""
    return Path("/sys/class/net", lab.bridge).exists()


def make(lab: LabSpec) -> None:
    """Make the bridge and the table; what is there already is made as it should be."""
    uplinks = _uplinks()
    mtu = min((link["mtu"] for name in uplinks for link in _ip("link", "show", name)), default=1500)
    if not exists(lab):
        script = [
            f"link add {lab.bridge} type bridge forward_delay 0 stp_state 0",
            f"address add {lab.gateway}/{lab.network.prefixlen} dev {lab.bridge}",
            f"link set {lab.bridge} mtu {mtu} up",
        ]
        run(["ip", "-batch", "-"], stdin="\n".join(script), what="making the lab's bridge")
    run(["nft", "-f", "-"], stdin=_rules(lab), what="making the lab's nftables table")
    for name in (lab.bridge, *uplinks):
        _forward(name, lab)


def _rules(lab: LabSpec) -> str:
    # Made anew in one transaction. Strangers cannot reach the hosts: their passwords are public.
    return f"""
        table ip {lab.table} {{}}
        delete table ip {lab.table}
        table ip {lab.table} {{
            chain outwards {{
                type nat hook postrouting priority srcnat;
                ip saddr {lab.subnet} oifname != "{lab.bridge}" masquerade
            }}
            chain inwards {{
                type filter hook forward priority filter;
                iifname "{lab.bridge}" accept
                oifname "{lab.bridge}" ct state established,related accept
                oifname "{lab.bridge}" drop
            }}
        }}
        """


def _forward(interface: str, lab: LabSpec) -> None:
    switch = Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding")
    if switch.read_text().strip() == "1":
        return
    if interface != lab.bridge:
        with _FORWARDING.open("a") as note:
            note.write(f"{interface}\n")
    switch.write_text("1")


def remove(lab: LabSpec) -> None:
    """Remove the bridge, all cables and the table; forwarding goes off with the last lab of the machine."""
    names = [link["ifname"] for link in _ip("link", "show")]
    for name in names:
        if name == lab.bridge or name.startswith(f"{lab.bridge}-"):
            run(["ip", "link", "delete", name], what="removing the lab's network", check=False)
    tables = json.loads(run(["nft", "--json", "list", "tables"], what="asking for nftables"))["nftables"]
    if any(entry.get("table", {}).get("name") == lab.table for entry in tables):
        run(["nft", "delete", "table", "ip", lab.table], what="removing the lab's nftables table")
    if not any(is_bridge_name(name) for name in names if name != lab.bridge):
        _stop_forwarding()


def _stop_forwarding() -> None:
    if not _FORWARDING.exists():
        return
    # Where somebody has switched on forwarding as a whole since, it is theirs now.
    if Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "0":
        for interface in set(_FORWARDING.read_text().split()):
            switch = Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding")
            if switch.exists():
                switch.write_text("0")
    _FORWARDING.unlink()


def plug(lab: LabSpec, host: HostSpec, namespace: Path) -> None:
    """Give a host its network: a namespace (pinned by a bind mount on that file) and a cable to the bridge."""
    unplug(lab, host)
    # After a reboot the old namespace is still pinned there.
    run(["umount", "--lazy", namespace], what="dropping the old network", check=False)
    namespace.touch()
    run(["unshare", f"--net={namespace}", "true"], what="making a network namespace")
    veth, mtu = lab.veth(host), Path(f"/sys/class/net/{lab.bridge}/mtu").read_text().strip()
    script = [
        f"link add {veth} mtu {mtu} type veth peer name {veth}p address {lab.mac(host)} mtu {mtu}",
        f"link set {veth}p netns {namespace} name eth0",
        f"link set {veth} master {lab.bridge} up",
    ]
    run(["ip", "-batch", "-"], stdin="\n".join(script), what="laying a cable to the bridge")
    script = [
        "link set lo up",
        f"address add {lab.address(host)}/{lab.network.prefixlen} brd + dev eth0",
        "link set eth0 up",
        f"route add default via {lab.gateway}",
    ]
    run(["nsenter", f"--net={namespace}", "ip", "-batch", "-"], stdin="\n".join(script), what="setting the address")


def unplug(lab: LabSpec, host: HostSpec) -> None:
    """Take the cable away. A dead namespace goes late, so its name on the bridge must be freed by hand."""
    run(["ip", "link", "delete", lab.veth(host)], what="taking the cable away", check=False)


def connect(lab: LabSpec, host: HostSpec, connected: bool) -> None:
    """Let the bridge pass this host's packets, or swallow them all: as a dead switch does, the link light stays on."""
    state = "3" if connected else "0"  # forwarding, disabled (the kernel's BR_STATE_*)
    run(["bridge", "link", "set", "dev", lab.veth(host), "state", state], what="switching the bridge's port")


def connected(lab: LabSpec, host: HostSpec) -> bool | None:
    """Whether packets of this host pass; None when it has no cable."""
    file = Path(f"/sys/class/net/{lab.veth(host)}/brport/state")
    try:
        return file.read_text().strip() == "3"
    except (FileNotFoundError, OSError):
        return None
