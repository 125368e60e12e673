"""Passwords, kept as argon2id hashes, and compared beside the event loop: a hash takes long on purpose."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ...errors import UsageError

#: The least and the most that a password may have, in characters.
SHORTEST, LONGEST = 10, 1024

#: The memory of one hash in KiB, and how often it is gone over: what OWASP recommends at least. argon2-cffi's own (64
#: MiB, three times) takes six times as long on the same machine, and a Pi has other things to do.
_MEMORY, _PASSES = 19 * 1024, 2

#: So many hashes at the same moment: who logs in a hundred times at once gets neither the memory nor the cores.
_AT_ONCE = 2


class Passwords:
    """Makes hashes, and compares with them."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY, parallelism=1)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        #: What the password of an unknown user is compared with, so that it takes as long as that of a known one.
        self._nobody = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _settled(password))

    async def matches(self, password: str, hash: str | None) -> bool:
        """Whether a password is the one of this hash; for None, which no password is, that takes as long."""
        async with self._turns:
            same = await asyncio.to_thread(self._verify, password, hash or self._nobody)
        return same and hash is not None

    def outdated(self, hash: str) -> bool:
        """Whether a hash was made in another way than today's."""
        return self._hasher.check_needs_rehash(hash)

    def _verify(self, password: str, hash: str) -> bool:
        try:
            return self._hasher.verify(hash, _settled(password))
        except (VerificationError, InvalidHashError):
            return False


def check(password: str, name: str) -> None:
    """Refuse a password that is too easy to guess.

    Raises
    ------
    UsageError
        It is too short or too long, or says the user's name.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(
            f"a password has {SHORTEST} to {LONGEST} characters", hint="several words in a row are easy to remember"
        )
    if len(set(password)) < 4 or password.casefold() in (name * 2, name[::-1] * 2) or password.casefold() == name:
        raise UsageError("this password is easy to guess", hint="several words in a row are easy to remember")


def _settled(password: str) -> bytes:
    # An é may be typed as one character or as two, depending on the keyboard; JSON may have half a character.
    return unicodedata.normalize("NFKC", password[:LONGEST]).encode("utf-8", "surrogatepass")
