"""The ways in which systems take their customisation at the first start."""

from __future__ import annotations

from enum import StrEnum


class InitFormat(StrEnum):
    """As Raspberry Pi Imager's image list calls them (``init_format``)."""

    #: ``firstrun.sh``, for Raspberry Pi OS 11 and 12, and 13 up to October 2025.
    SYSTEMD = "systemd"

    #: cloud-init with Raspberry Pi's own module, for later Raspberry Pi OS 13.
    CLOUDINIT_RPI = "cloudinit-rpi"

    #: cloud-init as it is elsewhere, for Ubuntu.
    CLOUDINIT = "cloudinit"

    #: Nothing that bramble knows, so that no card can be made a certain host's.
    NONE = "none"
