"""Options of the service base. What is not set is left as it is on each host."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ...model import spelling
from ..words import Words
from .addresses import Addresses

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]")
_MODULE = re.compile(r"[A-Za-z0-9_-]+")
_SERVER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")

#: MB that the firmware gives to graphics: the least it starts with, and what the oldest boards can part with at most.
_LEAST_GPU, _MOST_GPU = 16, 944


def _switch(given: object) -> object:
    """YAML of the old days takes ``off`` for false, that of today for text."""
    words = {"on": True, "off": False}
    return words.get(given.lower(), given) if isinstance(given, str) else given


def _only_off(given: object) -> object:
    if _switch(given) not in (False, None) and given not in ("", "false", "no"):
        raise ValueError("can only be switched off; to leave it as it is, do not set it")
    return None if given in ("", None) else "off"


def _each(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            if not pattern.fullmatch(word):
                raise ValueError(f"{word!r} is not {what}")
        return words

    return AfterValidator(check)


def _if_set(spelt: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda text: spelt(text) if text else text)


#: Options that say how, and not what.
_HOW = ("reboot", "address_deadline", "user")

Switch = Annotated[bool, BeforeValidator(_switch)]
Off = Annotated[Literal["off"] | None, BeforeValidator(_only_off)]


class Config(Addresses):
    """All options; none of them does anything unless it is set."""

    hostname: Switch = Field(
        default=False, description="Each host calls itself by the name that the cluster calls it by."
    )
    names: Switch = Field(
        default=False, description="Every host knows all of them by name: a line for each in `/etc/hosts`."
    )
    locale: Annotated[str, _if_set(spelling.locale)] = Field(
        default="", description="Language and customs of programs: `en_GB.UTF-8`."
    )
    keyboard: Annotated[str, _if_set(spelling.keyboard)] = Field(
        default="", description="Layout of a keyboard plugged in: `gb`, `de`, `us`."
    )
    timezone: Annotated[str, _if_set(spelling.timezone)] = Field(
        default="", description="`Europe/Berlin`; `auto` with `bramble prepare`: that of this machine."
    )
    ntp: Annotated[tuple[str, ...], Words, _each(_SERVER, "a name or address of a server")] = Field(
        default=(), description="Time servers, with commas between; systemd-timesyncd asks them."
    )
    upgrade: Switch = Field(
        default=False, description="Bring all packages to their latest version, at each deployment."
    )
    packages: Annotated[tuple[str, ...], Words, _each(_PACKAGE, "the name of a package")] = Field(
        default=(), description="Packages of the distribution that are wanted on each host, with commas between."
    )
    unattended_upgrades: Switch = Field(
        default=False, description="Hosts bring security fixes in by themselves every night."
    )
    radios: Off = Field(default=None, description="`off`: Wi-Fi and Bluetooth are switched off.")
    swap: Off = Field(
        default=None, description="`off`: no swap, whichever of dphys-swapfile, rpi-swap, zram and fstab brings it."
    )
    cgroups: Switch = Field(
        default=False, description="The kernel can limit the memory of groups of processes, as containers need it."
    )
    gpu_memory: int | None = Field(
        default=None, ge=_LEAST_GPU, le=_MOST_GPU, description="MB of memory that graphics get, up to the Pi 4: 16."
    )
    modules: Annotated[tuple[str, ...], Words, _each(_MODULE, "the name of a kernel module")] = Field(
        default=(), description="Kernel modules that are loaded, now and at each start, with commas between."
    )
    user: Annotated[str, _if_set(spelling.user)] = Field(
        default="", description="Whose `password` and `authorized_keys`; by default who logs in."
    )
    password: str = Field(
        default="", description="A file with the password on its first line, or with a hash of it (`mkpasswd`)."
    )
    authorized_keys: str = Field(default="", description="A file of public keys that may log in, too.")
    reboot: Literal["one by one", "all at once", "never"] = Field(
        default="one by one", description="How hosts restart that have to; each must be back before the next goes."
    )

    @property
    def asked(self) -> dict[str, Any]:
        """What is set."""
        return {name: value for name, value in self if value not in ("", (), {}, None, False) and name not in _HOW}
