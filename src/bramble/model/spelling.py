"""How systems spell what people give them: locales, keyboard layouts, time zones, users, hosts.

Each function gives the text back, or says what it is not. Whom one may log in as is left to the host that is asked
(`Entry` takes more): people have accounts from elsewhere, too.
"""

from __future__ import annotations

import difflib
import functools
import re
from zoneinfo import available_timezones

from .entry import check_name

_LOCALE = re.compile(r"(?:C|[a-z]{2,3}_[A-Z]{2})\.UTF-8")
_KEYBOARD = re.compile(r"[a-z]{2,8}")
_TIMEZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z][A-Za-z0-9_+-]*){0,2}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_NEW_USER = re.compile(r"[a-z][a-z0-9-]{0,31}")

#: Reading them takes longer than all the rest, and each card asks.
_zones = functools.cache(available_timezones)


class Misspelt(ValueError):
    """No system would take it.

    Parameters
    ----------
    what
        The text, and what it is not.
    hint
        How such a thing looks.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what}; {hint}")
        self.what, self.hint = what, hint


def locale(text: str) -> str:
    """A locale in UTF-8, as it stands in ``LANG`` and, with its character set, in ``/etc/locale.gen``.

    Those with a modifier (``sr_RS@latin``) are not among them: each program that makes locales spells them otherwise.

    Raises
    ------
    Misspelt
    """
    if not _LOCALE.fullmatch(text):
        raise Misspelt(f"{text!r} is no locale in UTF-8", "language, country and UTF-8: en_GB.UTF-8; or C.UTF-8")
    return text


def keyboard(text: str) -> str:
    """A layout as xkeyboard-config calls those of its own: ``! layout`` in ``/usr/share/X11/xkb/rules/base.lst``.

    Raises
    ------
    Misspelt
    """
    if not _KEYBOARD.fullmatch(text):
        raise Misspelt(f"{text!r} is no keyboard layout", "as `localectl list-x11-keymap-layouts` shows them: gb")
    return text


def timezone(text: str) -> str:
    """A name of the tz database. Which there are, this machine's own list tells, where it has one.

    Raises
    ------
    Misspelt
        A near miss is named.
    """
    known = _zones()
    if not _TIMEZONE.fullmatch(text) or (known and text not in known):
        close = difflib.get_close_matches(text, known, 1)
        near = f"did you mean {close[0]!r}?" if close else "as `timedatectl list-timezones` shows them: Europe/Berlin"
        raise Misspelt(f"{text!r} is no time zone", near)
    return text


def user(text: str) -> str:
    """The name of an account, as Debian's useradd(8) takes it; without the ``$`` at the end that machines have.

    Raises
    ------
    Misspelt
    """
    if not _USER.fullmatch(text):
        raise Misspelt(f"{text!r} is not the name of a user", "small letters, digits, - and _, at most 32: pi")
    return text


def new_user(text: str) -> str:
    """The name of an account that is to be made at a first start: what Raspberry Pi OS's userconf takes is less.

    Raises
    ------
    Misspelt
    """
    if not _NEW_USER.fullmatch(text):
        hint = "small letters, digits and hyphens, at most 32, a letter first: pi"
        raise Misspelt(f"{text!r} cannot be a user's name on a Pi", hint)
    return text


def hostname(text: str) -> str:
    """What a host calls itself, ``/etc/hostname``: a name as `Entry` takes it, without a domain.

    Raises
    ------
    Misspelt
    """
    try:
        check_name(text)
        if "." not in text:
            return text
    except ValueError:
        pass
    hint = "letters, digits and hyphens, at most 63, not digits alone, neither first nor last a hyphen: red01"
    raise Misspelt(f"{text!r} cannot be a host's name", hint)
