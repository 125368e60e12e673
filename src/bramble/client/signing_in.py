"""Logging in at a service: whom to trust there, and a token for this machine."""

from __future__ import annotations

import getpass
import hashlib
import re
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from ..errors import BrambleError, UsageError
from . import trouble
from .logins import Login
from .wire import PREFIX, Wire

#: Role → the scope of a token that may do all that the role may.
_SCOPES = {"viewer": "read", "operator": "deploy", "admin": "admin"}

#: No certificate is longer.
_LONGEST = 64 * 1024

#: How long a token lasts that a login makes.
LASTS = "90d"


def trusted_already(url: str) -> bool:
    """Whether the system trusts the service's certificate: somebody brought one that is known everywhere.

    Raises
    ------
    BrambleError
        It cannot be reached, or speaks no TLS.
    """
    try:
        httpx.get(f"{url}{PREFIX}/session", trust_env=False, timeout=10, verify=ssl.create_default_context())
    except httpx.TransportError as error:
        if not trouble.is_unproven(error):
            raise trouble.of_transport(error, url) from None
        return False
    return True


def shown_authority(url: str) -> str:
    """The certificate of the authority that the service itself shows, PEM. It proves nothing: compare its fingerprint.

    Raises
    ------
    BrambleError
        It shows none.
    """
    try:
        with httpx.Client(base_url=url, verify=False, trust_env=False, timeout=10) as client:  # noqa: S501
            # Nothing secret goes over this connection, and nothing else comes of it.
            answer = client.get("/ca.pem")
    except httpx.TransportError as error:
        raise trouble.of_transport(error, url) from None
    text = answer.text if answer.is_success and len(answer.content) < _LONGEST else ""
    found = re.search(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", text, re.DOTALL)
    if found is None:
        raise BrambleError(
            f"{url} shows no certificate of its authority", why=f"HTTP {answer.status_code} for /ca.pem",
            hint=f"bramble login {url} --ca FILE",
        )  # fmt: skip
    return found[0]


def fingerprint(authority: str) -> str:
    """SHA-256 of a certificate in PEM, as `bramble serve`, browsers and openssl print it.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority)).hexdigest().upper()
    except ValueError:
        raise UsageError("this is no certificate in PEM", hint="ca.crt of the service's folder is one") from None
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def is_fingerprint(said: str, authority: str) -> bool:
    """Whether this is the certificate's fingerprint, with or without colons, in capitals or not."""
    plain = re.sub(r"[\s:]", "", said.removeprefix("SHA256:").removeprefix("SHA-256")).upper()
    return secrets.compare_digest(plain.encode(), fingerprint(authority).replace(":", "").encode())


def with_password(url: str, authority: str, user: str, password: str) -> Login:
    """Log in as somebody, and take a token for this machine; the password is not kept.

    Raises
    ------
    BrambleError
        They may not, or the service cannot be reached.
    """
    with _asking(Wire(url, authority=authority)) as ask:
        me = ask("POST", "/session", json={"name": user, "password": password}).json()
        scope = _SCOPES.get(me["role"])
        if scope is None:
            raise UsageError(f"{user} is a {me['role']}, and no person", hint="log in as somebody else")
        name = re.sub(r"[^A-Za-z0-9_.@-]", "-", f"{getpass.getuser()}@{socket.gethostname()}-{secrets.token_hex(2)}")
        made = ask("POST", "/tokens", json={"name": name, "scope": scope, "expires": LASTS}).json()
        ask("DELETE", "/session")
    return Login(url=url, user=me["name"], role=me["role"], token=made["token"], name=name, authority=authority)


def with_token(url: str, authority: str, token: str) -> Login:
    """Log in by a token that was made on the service: nothing is made there, and none ends by `bramble logout`."""
    with _asking(Wire(url, authority=authority, token=token)) as ask:
        me = ask("GET", "/session").json()
    return Login(url=url, user=me["name"], role=me["role"], token=token, authority=authority)


def end(login: Login) -> None:
    """Let the service forget the token of a login.

    Raises
    ------
    BrambleError
        It cannot be reached, so the token stays good.
    """
    with _asking(login.wire) as ask:
        ask("DELETE", f"/tokens/{login.name}")


@contextmanager
def _asking(wire: Wire) -> Iterator[Callable[..., httpx.Response]]:
    """A way to ask a service, for those who wait for the answers."""
    with httpx.Client(**wire.options()) as client:

        def ask(method: str, path: str, **more: Any) -> httpx.Response:
            return wire.checked(client.request(method, PREFIX + path, **more))

        try:
            yield ask
        except httpx.TransportError as error:
            raise trouble.of_transport(error, wire.url) from None
