"""An image list as Raspberry Pi Imager's is: the same shape, the same kinds of names, hashes of nobody's."""

from __future__ import annotations

import hashlib
import json
from typing import Any

#: Where the images of the list are said to be.
RASPIOS, UBUNTU = "https://downloads.raspberrypi.com", "http://cdimage.ubuntu.com/releases"

_BITS = {"arm64": "64-bit", "armhf": "32-bit"}
_DEVICES = {"arm64": ["pi5-64bit", "pi4-64bit", "pi3-64bit"], "armhf": ["pi4-32bit", "pi3-32bit", "pi2-32bit"]}


def entry(name: str, url: str, **more: Any) -> dict[str, Any]:
    """One image; what it would hold is made up from its address."""
    return {
        "name": name,
        "description": f"{name}, for tests",
        "icon": "https://downloads.raspberrypi.com/icon.png",
        "url": url,
        "extract_size": 2_977_955_840,
        "extract_sha256": hashlib.sha256(url.encode()).hexdigest(),
        "image_download_size": 517_981_172,
        "release_date": "2025-11-24",
        "capabilities": [],
        **more,
    }


def raspios(edition: str, architecture: str, *, legacy: bool = False, **more: Any) -> dict[str, Any]:
    """Raspberry Pi OS, as its makers name and place it: no hash of the download in the list."""
    bits, release = _BITS[architecture], "bookworm" if legacy else "trixie"
    words = f"(Legacy, {bits})" if legacy else f"({bits})"
    title = f"Raspberry Pi OS {words}{f' {edition.title()}' if edition else ''}"
    if edition and not legacy:
        title = f"Raspberry Pi OS {edition.title()} ({bits})"
    folder = "_".join(["raspios", *(["oldstable"] if legacy else []), *([edition] if edition else []), architecture])
    file = f"2025-11-24-raspios-{release}-{architecture}{f'-{edition}' if edition else ''}.img.xz"
    facts: dict[str, Any] = {"init_format": "systemd" if legacy else "cloudinit-rpi", "devices": _DEVICES[architecture]}
    if edition == "lite" and architecture == "arm64":  # newer lists tell it, older ones leave it to the address
        facts["architecture"] = "armv8"
    return entry(title, f"{RASPIOS}/{folder}/images/{folder}-2025-11-24/{file}", **{**facts, **more})


def ubuntu(flavour: str, version: str, code: str, architecture: str = "arm64", **more: Any) -> dict[str, Any]:
    """Ubuntu, as its makers name and place it."""
    long = " LTS" if version.startswith(("22.04", "24.04")) else ""
    url = f"{UBUNTU}/{code}/release/ubuntu-{version}-preinstalled-{flavour}-{architecture}+raspi.img.xz"
    facts = {
        "init_format": "cloudinit" if flavour == "server" else "none",
        "devices": _DEVICES[architecture],
        "image_download_sha256": hashlib.sha256(f"packed {url}".encode()).hexdigest(),
        "release_date": "2025-08-07",
    }
    return entry(f"Ubuntu {flavour.title()} {version}{long} ({_BITS[architecture]})", url, **{**facts, **more})


def ubuntus() -> list[dict[str, Any]]:
    """The part of the list that Ubuntu keeps."""
    return [
        ubuntu("desktop", "25.10", "questing"),
        ubuntu("server", "25.10", "questing"),
        ubuntu("desktop", "24.04.3", "noble"),
        ubuntu("server", "24.04.3", "noble"),
        ubuntu("server", "22.04.5", "jammy", "armhf"),
        ubuntu("server", "22.04.5", "jammy"),
        entry(
            "Ubuntu Core 24 (64-bit)",
            "http://cdimage.ubuntu.com/ubuntu-core/24/stable/current/ubuntu-core-24-arm64+raspi.img.xz",
            init_format="none",
        ),
    ]


def usual(ubuntu_url: str = "") -> dict[str, Any]:
    """A whole list.

    Parameters
    ----------
    ubuntu_url
        Where Ubuntu's part is; without it, it stands in the list itself.
    """
    part = {"subitems_url": ubuntu_url} if ubuntu_url else {"subitems": ubuntus()}
    alpine = "https://dl-cdn.alpinelinux.org/alpine/v3.22/releases"
    return {
        "imager": {
            "latest_version": "2.0.0",
            "url": "https://www.raspberrypi.com/software/",
            "devices": [{"name": "Raspberry Pi 5", "tags": ["pi5-64bit", "pi5-32bit"], "matching_type": "exclusive"}],
        },
        "os_list": [
            raspios("", "arm64"),
            raspios("", "armhf"),
            raspios("", "armhf", legacy=True),
            {
                "name": "Raspberry Pi OS (other)",
                "icon": "icons/cat_raspberry_pi_os.png",
                "random": False,
                "subitems": [
                    raspios("lite", "arm64"),
                    raspios("full", "arm64"),
                    raspios("lite", "armhf"),
                    raspios("lite", "armhf", legacy=True),
                    raspios("", "arm64", legacy=True),
                    raspios("lite", "arm64", legacy=True),
                ],
            },
            {
                "name": "Other general-purpose OS",
                "subitems": [
                    {"name": "Ubuntu", "devices": _DEVICES["arm64"], **part},
                    entry("Alpine Linux 3.22.2 (32bit)", f"{alpine}/armhf/alpine-rpi-3.22.2-armhf.img.gz"),
                    entry("Alpine Linux 3.22.2 (32bit)", f"{alpine}/armv7/alpine-rpi-3.22.2-armv7.img.gz"),
                    entry("Alpine Linux 3.22.2 (64bit)", f"{alpine}/aarch64/alpine-rpi-3.22.2-aarch64.img.gz"),
                ],
            },
            {"name": "Erase", "description": "Format card as FAT32", "url": "internal://format"},
        ],
    }


def text(listed: object) -> bytes:
    """As a server sends it."""
    return json.dumps(listed, indent=1).encode()
