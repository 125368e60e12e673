"""Slows down who guesses: each failure doubles the wait before the next try."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass

from ..problem import Refused

#: Seconds without a failure after which all is forgotten.
_FORGOTTEN = 3600.0

#: So many names and addresses are remembered; those longest ago go first.
_MOST = 10_000


@dataclass
class _Failures:
    count: int = 0
    until: float = 0.0
    last: float = 0.0


class Throttle:
    """Counts failures by key, in memory: who can restart the service need not guess.

    Parameters
    ----------
    free
        So many failures cost nothing.
    longest
        The wait in seconds does not grow beyond this.
    """

    def __init__(self, *, free: int, longest: float) -> None:
        self._free, self._longest = free, longest
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def enter(self, key: str) -> None:
        """Begin a try, which counts as a failure until `forgive`: so a hundred at the same moment are a hundred.

        Raises
        ------
        Refused
            It is too early: 429, with ``Retry-After``.
        """
        now = time.monotonic()
        found = self._failures.pop(key, None)
        if found is None or now - found.last > _FORGOTTEN:
            found = _Failures()
        self._failures[key] = found
        while len(self._failures) > _MOST:
            self._failures.popitem(last=False)
        if found.until > now:
            wait = int(found.until - now) + 1
            raise Refused(
                429, "too many failed tries", why=f"the next may be made in {wait} s", hint="wait, then try again",
                headers={"Retry-After": str(wait)},
            )  # fmt: skip
        found.count, found.last = found.count + 1, now
        if found.count > self._free:
            found.until = now + min(self._longest, 2.0 ** min(found.count - self._free, 30))

    def forgive(self, key: str, *, all: bool) -> None:
        """The last try was none; forget ``all`` failures of this key, or that one alone."""
        found = self._failures.get(key)
        if found is not None:
            found.count, found.until = 0 if all else found.count - 1, 0.0


def network(address: str) -> str:
    """What stands for an address: itself, or the network of an IPv6 address, whose owner has all of them."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
