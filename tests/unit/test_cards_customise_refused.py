"""What no card can make of a host is refused, with what to do about it, and without showing a secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.test_cards_customise import BOOT, FULL, LEAST, PRIVATE, PUBLIC, WAYS

from bramble.cards.customise import check, customise
from bramble.cards.init_format import InitFormat
from bramble.errors import UsageError
from bramble.model import HostKey, Wifi

#: What is asked instead, and words of the complaint.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"hostname": ""}, "host's name"),
    ({"hostname": "red_01"}, "host's name"),
    ({"hostname": "-red"}, "host's name"),
    ({"hostname": "red-"}, "host's name"),
    ({"hostname": "red.local"}, "host's name"),
    ({"hostname": "r" * 64}, "host's name"),
    ({"hostname": "red\n"}, "host's name"),
    ({"hostname": "1"}, "digits alone"),
    ({"instance": ""}, "tell one card"),
    ({"instance": "a;b"}, "tell one card"),
    ({"user": "Alice"}, "user's name"),
    ({"user": "al ice"}, "user's name"),
    ({"user": "1st"}, "user's name"),
    ({"user": "a" * 33}, "user's name"),
    ({"user": "root"}, "every system has"),
    ({"user": "mail"}, "every system has"),
    ({"password": "raspberry"}, "not hashed"),
    ({"password": "$6$salt$ab:cdefghij"}, "not hashed"),
    ({"password": "$6$salt$abcdefghij\n"}, "not hashed"),
    ({"keys": ()}, "nobody could log in"),
    ({"sudo_asks": True}, "password that there is not"),
    ({"keys": ("hello",)}, "no public key"),
    ({"keys": (PUBLIC, "")}, "no public key"),
    ({"keys": (f"# {PUBLIC}",)}, "no public key"),
    ({"keys": (f"{PUBLIC}\nssh-rsa AAAA",)}, "no public key"),
    ({"keys": (PRIVATE,)}, "no public key"),
    ({"keys": (PUBLIC.split()[0] + " " + PUBLIC.split()[1][:-8],)}, "no public key"),
    ({"address": "10.1.1.1"}, "bits of its network are missing"),
    ({"address": "10.1.1.256/24"}, "no address"),
    ({"address": "10.1.1.0/24"}, "stands for the network"),
    ({"address": "10.1.1.255/24"}, "stands for the network"),
    ({"address": "127.0.0.1/8"}, "no host can have it"),
    ({"address": "fe80::1/64"}, "no address"),
    ({"gateway": "10.1.1.254"}, "without an address"),
    ({"dns": ("9.9.9.9",)}, "without an address"),
    ({"address": "10.1.1.1/24", "gateway": "10.1.2.1"}, "outside"),
    ({"address": "10.1.1.1/24", "gateway": "router"}, "no IPv4 address for a gateway"),
    ({"address": "10.1.1.1/24", "gateway": "10.1.1.1"}, "both the host and its gateway"),
    ({"address": "10.1.1.1/24", "dns": ("dns.example",)}, "name server"),
    ({"interface": "eth1"}, "no interface"),
    ({"interface": "wlan0", "address": "10.1.1.1/24"}, "no Wi-Fi is wanted"),
    ({"wifi": FULL.wifi, "radios": False}, "its radio off"),
    ({"wifi": Wifi(ssid="", country="GB")}, "wireless network's name"),
    ({"wifi": Wifi(ssid="ü" * 17, country="GB")}, "wireless network's name"),
    ({"wifi": Wifi(ssid="a\nb", country="GB")}, "wireless network's name"),
    ({"wifi": Wifi(ssid="a\x85b", country="GB")}, "wireless network's name"),
    ({"wifi": Wifi(ssid="red", psk="my passphrase", country="GB")}, "hexadecimal"),
    ({"wifi": Wifi(ssid="red", country="")}, "no country"),
    ({"wifi": Wifi(ssid="red", country="gb")}, "no country"),
    ({"locale": "en_GB"}, "no locale"),
    ({"locale": "en_GB.UTF-8; reboot"}, "no locale"),
    ({"keyboard": 'gb"'}, "keyboard"),
    ({"keyboard": "us-intl"}, "keyboard"),
    ({"timezone": "../../etc/shadow"}, "time zone"),
    ({"timezone": "Europe/Berlin\n"}, "time zone"),
    ({"kernel_arguments": ("a b",)}, "one word"),
    ({"kernel_arguments": ("a\nb",)}, "one word"),
    ({"kernel_arguments": ("",)}, "one word"),
    ({"host_keys": FULL.host_keys * 2}, "two host keys"),
    ({"host_keys": (HostKey(kind="dsa", private=PRIVATE, public=PUBLIC),)}, "is none"),
    ({"host_keys": (HostKey(kind="rsa", private=PRIVATE, public=PUBLIC),)}, "is none"),
    ({"host_keys": (HostKey(kind="ed25519", private="x" + PRIVATE, public=PUBLIC),)}, "is none"),
    ({"host_keys": (HostKey(kind="ed25519", private=PRIVATE[:-1], public=PUBLIC),)}, "is none"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=[f"{next(iter(w))}-{n}" for n, (w, _) in enumerate(WRONG)])
def test_refused_whichever_system_it_is_for(wrong: dict[str, Any], words: str) -> None:
    wanted = replace(LEAST, **wrong)
    with pytest.raises(UsageError, match=words) as refused:
        check(wanted)
    assert refused.value.hint
    for secret in ("raspberry", "my passphrase", "$6$", PRIVATE.splitlines()[1]):
        assert secret not in str(refused.value).replace("with $6$", "")
    for how in WAYS:
        with pytest.raises(UsageError, match=words):
            customise(how, wanted, BOOT)


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"hostname": "1st"},
        {"password": "$y$j9T$abcdefghijkl$mnopqrstuvwxyz./0123456789"},
        {"password": "$2b$12$abcdefghijklmnopqrstuv", "keys": ()},
        {"keys": (f"command=\"echo 'a b'\",no-pty {PUBLIC} it's mine",)},
        {"address": "10.1.1.1/31", "gateway": "10.1.1.0"},
        {"address": "10.1.1.1/24", "wifi": FULL.wifi, "interface": "wlan0"},
        {"wifi": Wifi(ssid="free for all", country="GB")},
        {"locale": "C.UTF-8", "timezone": "Etc/GMT+5"},
        {"timezone": "America/Port-au-Prince", "keyboard": "us"},
        {"kernel_arguments": ("dwc_otg.lpm_enable=0", "video=HDMI-A-1:1920x1080@60")},
    ],
)
@pytest.mark.parametrize("how", WAYS)
def test_not_refused(how: InitFormat, right: dict[str, Any]) -> None:
    assert customise(how, replace(LEAST, **right), BOOT)


def test_an_image_that_takes_none() -> None:
    with pytest.raises(UsageError, match="takes no description") as refused:
        customise(InitFormat.NONE, LEAST, BOOT)
    assert refused.value.host == "red" and "bramble cards images" in refused.value.hint


@pytest.mark.parametrize(
    ("boot", "words"),
    [
        ({}, "has no cmdline.txt"),
        ({"cmdline.txt": b"\n"}, "is empty"),
        ({"cmdline.txt": b"\xff\xfe"}, "is no text"),
    ],
)
@pytest.mark.parametrize("how", [InitFormat.SYSTEMD, InitFormat.CLOUDINIT_RPI])
def test_a_partition_of_something_else(how: InitFormat, boot: dict[str, bytes], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        customise(how, LEAST, boot)


@pytest.mark.parametrize("how", WAYS)
def test_radios_that_no_file_switches_off(how: InitFormat) -> None:
    with pytest.raises(UsageError, match=r"has no config\.txt"):
        customise(how, replace(LEAST, radios=False), {"cmdline.txt": b"a\n"})
