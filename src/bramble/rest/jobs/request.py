"""What somebody asks for."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: What carries out a verb: it is given ``on_event`` and ``on_begin``.
Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for.

    Attributes
    ----------
    verb, cluster, service, arguments, who
        As in `Job`.
    call
        Carries it out.
    secrets
        Its secrets, by their names.
    wait
        Whether it waits for its hosts; else it is refused where another job has one of them.
    key, body
        The caller's idempotency key, and what was asked with it, but secrets; the same key with the same body and the
        same secrets is the same job.
    area
        The service's folder of files: in what a job tells, files are called as they are called there.
    """

    verb: str
    call: Call
    who: str
    cluster: str = ""
    service: str = ""
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    secrets: Mapping[str, bytes] = dataclasses.field(default_factory=dict, repr=False)
    wait: bool = True
    key: str = ""
    body: str = ""
    area: str = ""

    def fingerprint(self) -> str:
        """What tells this request from another with the same key. Nobody learns a secret from it."""
        parts = [self.body.encode()]
        for name, value in sorted(self.secrets.items()):
            parts += [name.encode(), value]
        whole = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        if not self.secrets:
            return hashlib.sha256(whole).hexdigest()
        # A password can be guessed, so each guess is made to cost something.
        salt = f"{self.who}\0{self.key}".encode()
        return hashlib.scrypt(whole, salt=salt, n=2**14, r=8, p=1, dklen=32).hex()
