"""Where this user is logged in: services, what to trust them by, and the token that each gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import BrambleError, UsageError
from ..inventory import folders, storage
from .decode import decode
from .remote import Remote
from .wire import Wire

#: Where a service listens that names no port.
PORT = 8443


@dataclass(frozen=True, kw_only=True)
class Login:
    """A service that one is logged in at.

    Attributes
    ----------
    url
        ``https://red:8443``.
    user, role
        Who one is there.
    token
        What proves it; nobody else may see it.
    name
        By which the service knows the token; empty for one that was made there, which `bramble logout` leaves alone.
    authority
        The certificate to trust, PEM; empty where those that the system trusts will do.
    """

    url: str
    user: str
    role: str
    token: str
    name: str = ""
    authority: str = ""

    def __repr__(self) -> str:
        return f"Login(url={self.url!r}, user={self.user!r})"

    @property
    def wire(self) -> Wire:
        """The way there."""
        return Wire(self.url, authority=self.authority, token=self.token)


def address(server: str) -> str:
    """A service's address as it is kept, from what a person calls it: ``red``, ``red:8443``, ``https://red:8443/``.

    Raises
    ------
    UsageError
        It is none, or not one of TLS.
    """
    text = server.strip() if "://" in server else f"https://{server.strip()}"
    try:
        found = urlsplit(text)
        host, port = found.hostname or "", found.port or PORT
    except ValueError as error:
        raise UsageError(f"{server!r} is no address of a service", why=str(error), hint="https://red:8443") from None
    if found.scheme != "https":
        raise UsageError(f"{server}: a service is reached over TLS alone", hint=f"https://{host}:{port}")
    if not host or found.path not in ("", "/") or found.query or found.fragment or "@" in found.netloc:
        raise UsageError(f"{server!r} is no address of a service", hint="https://red:8443")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def every() -> dict[str, Login]:
    """All of them, by address.

    Raises
    ------
    BrambleError
        The file cannot be read.
    """
    path = folders.logins()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {url: decode(Login, login) for url, login in kept.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        why = error.strerror or "" if isinstance(error, OSError) else "it is not as bramble writes it"
        raise BrambleError(f"{path} cannot be read", why=why, hint="take it away, and log in again") from None


def find(server: str) -> Login:
    """The login at a service, by its address or the name of its host.

    Raises
    ------
    UsageError
        There is none.
    """
    url, known = address(server), every()
    if url in known:
        return known[url]
    hint = f"bramble login {server}"
    if known:
        hint += f"; you are logged in at {', '.join(known)}"
    raise UsageError(f"you are not logged in at {url}", hint=hint)


def keep(login: Login) -> None:
    """Remember a login, in a file that only this user can read."""
    _write({**every(), login.url: login})


def forget(login: Login) -> None:
    """Forget it."""
    _write({url: one for url, one in every().items() if url != login.url})


def connect(server: str, *, token: str = "", authority: str = "") -> Remote:
    """A service, with the verbs of `bramble.api`.

    Parameters
    ----------
    server
        Its address; where `bramble login` was done, the name of its host will do.
    token
        In place of a login: what `bramble tokens create` printed.
    authority
        With a token: the file of the certificate to trust, ``ca.crt`` of the service.

    Raises
    ------
    UsageError
        There is no such login, or the certificate cannot be used.
    """
    if not token:
        return Remote(find(server).wire)
    try:
        text = Path(authority).read_text(encoding="ascii") if authority else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{authority} cannot be read", why=str(error)) from None
    return Remote(Wire(address(server), authority=text, token=token))


def _write(logins: Mapping[str, Login]) -> None:
    whole: dict[str, Any] = {url: asdict(login) for url, login in logins.items()}
    storage.put(folders.logins(), json.dumps(whole, indent=1).encode(), 0o600)
