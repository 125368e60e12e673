"""What a card makes of a blank system: one description of a host, whichever way the system takes it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Wifi:
    """A wireless network that a host joins.

    Attributes
    ----------
    ssid
        Its name.
    psk
        The key that the passphrase becomes, 64 hexadecimal digits; empty for an open network. The passphrase itself,
        which people use elsewhere, too, is on no card.
    country
        Two capital letters: which channels may be used there. Raspberry Pi OS keeps the radio off without it.
    hidden
        Whether it does not tell its name.
    """

    ssid: str
    psk: str = field(default="", repr=False)
    country: str
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class HostKey:
    """An SSH host key that was made before its host first starts.

    Attributes
    ----------
    kind
        As `ssh-keygen -t` calls it: ``ed25519``.
    private
        In OpenSSH's format, with the last line end.
    public
        ``ssh-ed25519 AAAA…``, one line without its end.
    """

    kind: str
    private: str = field(repr=False)
    public: str


@dataclass(frozen=True, kw_only=True)
class Customisation:
    """What is asked of a system at its first start. What is left empty stays as the image has it.

    Attributes
    ----------
    hostname
        The host's own name.
    instance
        Another for each card that is burned, so that cloud-init takes a card burned anew for a new host.
    user
        The person's account; it may use sudo.
    password
        A hash as crypt(3) makes it (``$6$…``, ``$y$…``); empty for none: then only keys let anyone in.
    keys
        Lines of ``authorized_keys``.
    sudo_asks
        Whether sudo wants the password, which there must be then.
    address
        ``10.1.1.1/24``, of `interface`; empty for DHCP.
    interface
        ``eth0``, or ``wlan0``, with `wifi`. The other one of the two has DHCP.
    gateway
        Address of the default route, with `address`.
    dns
        Addresses of name servers, with `address`.
    wifi
        None for none.
    locale, keyboard, timezone
        ``en_GB.UTF-8``, ``gb`` (a layout of XKB), ``Europe/Berlin``.
    radios
        False: Wi-Fi and Bluetooth are switched off.
    kernel_arguments
        Further words of the kernel's command line, such as ``cgroup_enable=memory``.
    host_keys
        Those the host is known by, in place of ones of its own making.
    """

    hostname: str
    instance: str
    user: str
    password: str = field(default="", repr=False)
    keys: tuple[str, ...] = ()
    sudo_asks: bool = False
    address: str = ""
    interface: str = "eth0"
    gateway: str = ""
    dns: tuple[str, ...] = ()
    wifi: Wifi | None = None
    locale: str = ""
    keyboard: str = ""
    timezone: str = ""
    radios: bool = True
    kernel_arguments: tuple[str, ...] = ()
    host_keys: tuple[HostKey, ...] = ()
