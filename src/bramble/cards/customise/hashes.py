"""What becomes of a password and of a passphrase, so that neither is on any card."""

from __future__ import annotations

import hashlib
import re

from passlib.hash import sha512_crypt

from ...errors import UsageError

#: Twenty times what crypt(3) does by default: some tenths of a second on a Pi, once a login.
_ROUNDS = 100_000


def psk(ssid: str, passphrase: str) -> str:
    """The key that a wireless network's passphrase becomes (IEEE 802.11i, annex H.4), 64 hexadecimal digits.

    Parameters
    ----------
    ssid
        The network's name.
    passphrase
        8 to 63 characters of ASCII; or the key itself, which stays as it is.

    Raises
    ------
    UsageError
        It is neither.
    """
    if re.fullmatch(r"[0-9a-fA-F]{64}", passphrase):
        return passphrase.lower()
    if not 8 <= len(passphrase) <= 63 or not passphrase.isascii() or not passphrase.isprintable():
        raise UsageError(
            f"the passphrase of the wireless network {ssid!r} cannot be right",
            hint="8 to 63 letters, digits and signs of ASCII, or a key of 64 hexadecimal digits",
        )
    return hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), 4096, 32).hex()


def password_hash(text: str) -> str:
    """A password as /etc/shadow keeps it: salted SHA-512 of crypt(3), which every system bramble knows understands.

    Raises
    ------
    UsageError
        It is empty, or no terminal could enter it.
    """
    if not text or "\n" in text or "\0" in text:
        raise UsageError("an empty password, or one of several lines, lets nobody in", hint="leave it out for none")
    made: str = sha512_crypt.using(rounds=_ROUNDS).hash(text)
    return made
