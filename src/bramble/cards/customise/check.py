"""What no system could do, refused before anything is written."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from ...errors import UsageError
from ...model import Customisation, HostKey, Wifi, spelling
from ...model.public_key import is_public_key

#: It stands in the kernel's command line, where a blank or ``;`` would end it.
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

#: What crypt(3) makes: ``$`` method ``$`` … without what ends a field of /etc/shadow.
_PASSWORD = re.compile(r"\$[0-9a-z]{1,3}\$[A-Za-z0-9./$=,]{8,}")

_PSK = re.compile(r"[0-9a-fA-F]{64}")
_COUNTRY = re.compile(r"[A-Z]{2}")

#: How the first word of a public key begins, by what ``ssh-keygen -t`` calls the key.
_PUBLIC = {"ed25519": "ssh-ed25519", "ecdsa": "ecdsa-sha2-", "rsa": "ssh-rsa"}

_PRIVATE = re.compile(r"-----BEGIN (?P<form>(?:[A-Z]+ )?PRIVATE KEY)-----\n[A-Za-z0-9+/=\n]+-----END (?P=form)-----\n")

#: Interfaces as Raspberry Pi OS and Ubuntu name those of a board.
INTERFACES = ("eth0", "wlan0")

#: Names that every system has already taken.
_TAKEN = {"root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "backup", "nobody"}


def check(wanted: Customisation) -> None:
    """See that a description makes sense by itself, whichever system it is for.

    Raises
    ------
    UsageError
        A value that is none, two that contradict each other, or a host that nobody could log in to. Never shows a
        password, its hash or a key.
    """
    for complaints in (_identity, _account, _network, _language, _kernel, _host_keys):
        for what, hint in complaints(wanted):
            host = None if any(_misspelt(spelling.hostname, wanted.hostname)) else wanted.hostname
            raise UsageError(what, host=host, hint=hint)


#: What is wrong, and what to do about it.
Complaints = Iterator[tuple[str, str]]


def _misspelt(spelt: Callable[[str], str], text: str) -> Complaints:
    try:
        spelt(text)
    except spelling.Misspelt as error:
        yield error.what, error.hint


def _identity(wanted: Customisation) -> Complaints:
    yield from _misspelt(spelling.hostname, wanted.hostname)
    if not _INSTANCE.fullmatch(wanted.instance):
        yield f"{wanted.instance!r} cannot tell one card from another", "letters, digits, dots and hyphens"


def _account(wanted: Customisation) -> Complaints:
    yield from _misspelt(spelling.new_user, wanted.user)
    if wanted.user in _TAKEN:
        yield f"{wanted.user} is an account that every system has already", "choose another name: pi"
    if wanted.password and not _PASSWORD.fullmatch(wanted.password):
        yield "the password is not hashed as crypt(3) does it", "a hash begins with $6$ or $y$: openssl passwd -6"
    if not wanted.password and not wanted.keys:
        yield "nobody could log in: there is neither a password nor a key", "name a public key, or set a password"
    if wanted.sudo_asks and not wanted.password:
        yield "sudo would ask for a password that there is not", "set a password, or let sudo not ask"
    for line in wanted.keys:
        if not _is_one_line(line) or not is_public_key(line):
            yield f"this is no public key: {_short(line)}", "one line a key, as in ~/.ssh/id_ed25519.pub"


def _network(wanted: Customisation) -> Complaints:
    yield from _addresses(wanted)
    if wanted.interface not in INTERFACES:
        yield f"there is no interface {wanted.interface!r} on a Pi", f"one of {', '.join(INTERFACES)}"
    if wanted.wifi:
        yield from _wireless(wanted.wifi)
        if not wanted.radios:
            yield "Wi-Fi is wanted, and its radio off", "leave one of the two out"
    elif wanted.interface == "wlan0":
        yield "the address is for wlan0, and no Wi-Fi is wanted", "name the network to join, or take eth0"


def _addresses(wanted: Customisation) -> Complaints:
    if not wanted.address:
        if wanted.gateway or wanted.dns:
            yield (
                "a gateway or name servers without an address of its own",
                "give an address, too; otherwise DHCP tells the host of both",
            )
        return
    own, network, why = _interface(wanted.address)
    if own is None or network is None:
        yield (
            f"{wanted.address!r} is no address for a host: {why}",
            "an IPv4 address and its network's bits: 10.1.1.1/24",
        )
        return
    if wanted.gateway:
        gateway = _ipv4(wanted.gateway)
        if gateway is None:
            yield f"{wanted.gateway!r} is no IPv4 address for a gateway", "one of the host's own network: 10.1.1.254"
        elif gateway not in network:
            yield (
                f"the gateway {gateway} is outside of the host's network {network}",
                f"one of {network}, or other bits behind {own}/",
            )
        elif gateway == own:
            yield f"{own} is both the host and its gateway", "leave the gateway out on the host that is it"
    for server in wanted.dns:
        if _ipv4(server) is None:
            yield f"{server!r} is no IPv4 address of a name server", "an address, not a name: 10.1.1.254"


def _wireless(wifi: Wifi) -> Complaints:
    if not 1 <= len(wifi.ssid.encode(errors="replace")) <= 32 or not _is_one_line(wifi.ssid):
        yield f"{wifi.ssid!r} cannot be a wireless network's name", "1 to 32 bytes on one line"
    if wifi.psk and not _PSK.fullmatch(wifi.psk):
        yield "the wireless network's key is not 64 hexadecimal digits", "bramble makes them of the passphrase"
    if not _COUNTRY.fullmatch(wifi.country):
        yield f"{wifi.country!r} is no country", "two capital letters, as Wi-Fi may differ by country: GB, US, DE"


def _language(wanted: Customisation) -> Complaints:
    for spelt, text in (
        (spelling.locale, wanted.locale),
        (spelling.keyboard, wanted.keyboard),
        (spelling.timezone, wanted.timezone),
    ):
        if text:
            yield from _misspelt(spelt, text)


def _kernel(wanted: Customisation) -> Complaints:
    for word in wanted.kernel_arguments:
        if not word.isascii() or not word.isprintable() or not word or " " in word:
            yield f"{word!r} is not one word of the kernel's command line", "each by itself: cgroup_enable=memory"


def _host_keys(wanted: Customisation) -> Complaints:
    kinds = [key.kind for key in wanted.host_keys]
    if len(kinds) != len(set(kinds)):
        yield "two host keys of one kind", "one of each kind at most"
    for key in wanted.host_keys:
        if not _is_host_key(key):
            yield f"the host key {_short(key.public)!r} is none", f"of kind {', '.join(_PUBLIC)}, in OpenSSH's format"


def _is_host_key(key: HostKey) -> bool:
    words = key.public.split()
    return (
        key.kind in _PUBLIC
        and _is_one_line(key.public)
        and len(words) >= 2
        and words[0].startswith(_PUBLIC[key.kind])
        and _PRIVATE.fullmatch(key.private) is not None
    )


def _is_one_line(text: str) -> bool:
    # Beside "\n", there are others that YAML or a person's editor takes for the end of a line.
    return text.isprintable()


def _interface(
    text: str,
) -> tuple[ipaddress.IPv4Address | None, ipaddress.IPv4Network | None, str]:
    """Address and network of ``10.1.1.1/24``; or why it is none."""
    if "/" not in text:
        return None, None, "the bits of its network are missing"
    try:
        interface = ipaddress.IPv4Interface(text)
    except ValueError as error:
        return None, None, str(error)
    address, network = interface.ip, interface.network
    if network.prefixlen < 31 and address in (network.network_address, network.broadcast_address):
        return None, None, f"it stands for the network {network}"
    if address.is_loopback or address.is_multicast or address.is_unspecified:
        return None, None, "no host can have it"
    return address, network, ""


def _ipv4(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
