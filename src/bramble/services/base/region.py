"""Language, keyboard and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...errors import PlanError
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, Line, Timezone, Unit
from .config import Config

#: The locale that comes with libc; all others are made from their description.
PLAIN = "C.UTF-8"

LOCALES, DEFAULT = "/etc/locale.gen", "/etc/default/locale"
KEYBOARD = "/etc/default/keyboard"
TIMESYNCD = "/etc/systemd/timesyncd.conf.d"

#: Other programs that set the clock; systemd-timesyncd does not go beside them.
CLOCKS = ("chrony", "ntpsec", "ntp", "openntpd")

#: Takes a locale out of the file that has them all, and that file away when it has none any more.
_FORGET = """
localedef --delete-from-archive "$1" || :
[ -n "$(localedef --list-archive)" ] || rm -f /usr/lib/locale/locale-archive
"""


def packages(config: Config) -> Iterator[str]:
    """What `region` needs of them."""
    if config.locale not in ("", PLAIN):
        yield "locales"
    if config.keyboard:
        yield "keyboard-configuration"


def region(config: Config) -> Iterator[Step]:
    """Steps that are the same on each host; after `packages`, and systemd-timesyncd for time servers."""
    if config.timezone:
        yield Timezone(zone=config.timezone)
    if config.locale:
        yield from _locale(config.locale)
    if config.keyboard:
        yield Line(path=KEYBOARD, line=f'XKBLAYOUT="{config.keyboard}"', match=r"^XKBLAYOUT=")
    if config.ntp:
        conf = f"{TIMESYNCD}/60-bramble.conf"
        yield Directory(path=TIMESYNCD)
        yield File(path=conf, content=f"[Time]\nNTP={' '.join(config.ntp)}\n")
        yield Unit(name="systemd-timesyncd", restart_on=(conf,))


def _locale(name: str) -> Iterator[Step]:
    if name != PLAIN:
        made = name.replace("UTF-8", "utf8")
        yield Line(path=LOCALES, line=f"{name} UTF-8", match=rf"^(#\s*)?{name} UTF-8\s*$")
        yield Command(
            name=f"make the locale {name}",
            argv=("locale-gen",),
            unless=("sh", "-c", 'locale -a | grep -qix "$1"', "sh", made),
            undo_argv=("sh", "-c", _FORGET, "sh", made),
        )
    yield Line(path=DEFAULT, line=f"LANG={name}", match=r"^LANG=")


def check(config: Config, facts: Mapping[str, Facts]) -> None:
    """Refuse what a host cannot do.

    Raises
    ------
    PlanError
    """
    for host, found in facts.items():
        other = next((name for name in CLOCKS if name in found.packages), "")
        if config.ntp and other:
            raise PlanError(
                f"{other} sets its clock, and two programs cannot",
                host=host,
                hint=f"take it away: sudo apt-get remove {other}; or leave ntp out, and tell {other} the servers",
            )
