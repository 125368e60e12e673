"""What is asked of all cards of a cluster alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CardOptions:
    """How cards are burned: what a cluster file keeps under ``cards``, and ``bramble cards burn`` takes.

    Attributes
    ----------
    image
        As the catalogue calls it, or a file or address of one's own.
    prefix
        Bits of the network that hosts' static addresses are in; 0 for DHCP.
    gateway, dns
        Of that network.
    interface
        Which one has the static address, ``eth0`` or ``wlan0``; empty for `wlan0` where there is Wi-Fi.
    wifi, wifi_country, wifi_hidden
        As in `Wifi`; an empty name for no Wi-Fi.
    locale, keyboard, timezone, radios
        As in `Customisation`.
    cgroups
        Whether the kernel counts memory by control group. Raspberry Pi's firmware switches that off, and Kubernetes
        and container limits need it, so that each host would have to be restarted once for them.
    kernel_arguments
        Further words of the kernel's command line.
    sudo_asks
        Whether sudo wants the user's password.
    """

    image: str = ""
    prefix: int = 0
    gateway: str = ""
    dns: tuple[str, ...] = ()
    interface: str = ""
    wifi: str = ""
    wifi_country: str = ""
    wifi_hidden: bool = False
    locale: str = ""
    keyboard: str = ""
    timezone: str = ""
    radios: bool = True
    cgroups: bool = True
    kernel_arguments: tuple[str, ...] = ()
    sudo_asks: bool = False
