"""Networks as netplan takes them, which reads what cloud-init is given for them: ``network-config``."""

from __future__ import annotations

from textwrap import indent
from typing import Any

from ...model import Customisation, Wifi
from .yaml_text import mapping, text


def network_config(wanted: Customisation, secret: str, *, regulatory: bool) -> str:
    """``network-config``: Ethernet, and below a line of its own Wi-Fi, whose key nobody else may read.

    Parameters
    ----------
    secret
        That line.
    regulatory
        Whether netplan is told the country, which those before 0.105 do not understand.
    """
    # What is not optional is waited for at each start, two minutes in vain where it has no cable; and where all is
    # optional, the wait for any network takes as long. So it is exactly one.
    leading = wanted.interface if wanted.address else "wlan0" if wanted.wifi else "eth0"
    ethernet = {"eth0": _interface(wanted, "eth0", leading)}
    made = mapping({"network": {"version": 2, "ethernets": ethernet}})
    if wanted.wifi:
        wireless = _interface(wanted, "wlan0", leading)
        if regulatory:
            wireless["regulatory-domain"] = wanted.wifi.country
        wireless["access-points"] = {text(wanted.wifi.ssid): _access(wanted.wifi)}
        made += f"{secret}\n" + indent(mapping({"wifis": {"wlan0": wireless}}), "  ")
    return made


def _interface(wanted: Customisation, name: str, leading: str) -> dict[str, Any]:
    made: dict[str, Any] = {"optional": True} if name != leading else {}
    if not wanted.address or name != wanted.interface:
        return {"dhcp4": True, **made}
    made = {"dhcp4": False, **made, "addresses": [wanted.address]}
    if wanted.gateway:
        made["routes"] = [{"to": "default", "via": wanted.gateway}]
    if wanted.dns:
        made["nameservers"] = {"addresses": list(wanted.dns)}
    return made


def _access(wifi: Wifi) -> dict[str, Any]:
    # 64 hexadecimal digits are for netplan no passphrase, which ends at 63, but the key.
    made: dict[str, Any] = {"password": wifi.psk} if wifi.psk else {"auth": {"key-management": "none"}}
    return {**made, "hidden": True} if wifi.hidden else made
