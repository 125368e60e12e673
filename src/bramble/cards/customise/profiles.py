"""Networks as systems without netplan are told of them: NetworkManager, and before it dhcpcd and wpa_supplicant."""

from __future__ import annotations

import uuid

from ...model import Customisation, Wifi

_IPV6 = "[ipv6]\nmethod=auto\n"


def network_manager(wanted: Customisation) -> dict[str, str]:
    """NetworkManager's profiles (Raspberry Pi OS 12 and 13), by interface. None where DHCP by cable is all."""
    made = {}
    if wanted.address and wanted.interface == "eth0":
        made["eth0"] = _connection(wanted, "eth0", "ethernet") + f"[ipv4]\n{_ipv4(wanted, 'eth0')}{_IPV6}"
    if wanted.wifi:
        text = _connection(wanted, "wlan0", "wifi") + _wifi(wanted.wifi)
        made["wlan0"] = f"{text}[ipv4]\n{_ipv4(wanted, 'wlan0')}{_IPV6}"
    return made


def _connection(wanted: Customisation, interface: str, kind: str) -> str:
    # The same for the same card, so that the script which writes it may run twice.
    name = uuid.uuid5(uuid.NAMESPACE_DNS, f"{interface}.{wanted.instance}")
    return f"[connection]\nid={interface}\nuuid={name}\ntype={kind}\ninterface-name={interface}\n"


def _wifi(wifi: Wifi) -> str:
    # By bytes, which need no quoting: a name may hold what ends a value, begins a comment, or is no letter.
    ssid = "".join(f"{byte};" for byte in wifi.ssid.encode())
    text = f"[wifi]\nmode=infrastructure\nssid={ssid}\n" + ("hidden=true\n" if wifi.hidden else "")
    return text + (f"[wifi-security]\nkey-mgmt=wpa-psk\npsk={wifi.psk}\n" if wifi.psk else "")


def _ipv4(wanted: Customisation, interface: str) -> str:
    if not wanted.address or interface != wanted.interface:
        return "method=auto\n"
    address = ",".join(filter(None, (wanted.address, wanted.gateway)))
    dns = f"dns={';'.join(wanted.dns)};\n" if wanted.dns else ""
    return f"method=manual\naddress1={address}\n{dns}"


def dhcpcd(wanted: Customisation) -> str:
    """Lines for dhcpcd.conf (Raspberry Pi OS 11); empty where DHCP gives the address."""
    if not wanted.address:
        return ""
    lines = [f"interface {wanted.interface}", f"static ip_address={wanted.address}"]
    if wanted.gateway:
        lines.append(f"static routers={wanted.gateway}")
    if wanted.dns:
        lines.append(f"static domain_name_servers={' '.join(wanted.dns)}")
    return "\n".join(lines) + "\n"


def wpa_supplicant(wifi: Wifi) -> str:
    """wpa_supplicant.conf (Raspberry Pi OS 11)."""
    # A name without quotes is one in hexadecimal digits: again, nothing to quote.
    network = [f"ssid={wifi.ssid.encode().hex()}", f"psk={wifi.psk}" if wifi.psk else "key_mgmt=NONE"]
    if wifi.hidden:
        network.append("scan_ssid=1")
    head = f"ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=netdev\nupdate_config=1\ncountry={wifi.country}\n"
    return head + "network={\n" + "".join(f"\t{line}\n" for line in network) + "}\n"
