"""By what the service is known: a certificate of its own authority, or one that a person brought."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from ..errors import BrambleError, UsageError
from ..inventory.storage import put
from . import authority, names
from .authority import ANEW, Authority

#: A certificate of our own is renewed when it lasts no longer than this.
RENEW = timedelta(days=30)

#: What one gets who speaks plain HTTP to the port.
_PLAIN = b"this port speaks HTTPS alone: write https:// in place of http://\n"
_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_PLAIN), _PLAIN)
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Files by which the service is known.

    Attributes
    ----------
    certificate, key
        Of the service, PEM.
    authority
        The certificate to trust; None where the person brought a certificate of their own.
    names
        What the service is called: its certificate is for these.
    """

    certificate: Path
    key: Path
    authority: Path | None
    names: tuple[str, ...] = ()


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate, as browsers and openssl print it."""
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    digest = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def own(folder: Path, wanted: tuple[str, ...], asked: tuple[str, ...] = (), *, new_authority: bool = False) -> Identity:
    """The service's own identity; what is missing, or about to run out, is made.

    Parameters
    ----------
    folder
        Where it is kept.
    wanted
        Names and addresses of this machine. Those that the authority may not sign for are left out.
    asked
        Those of them that a person asked for, which cannot be left out.
    new_authority
        Make another authority, too.

    Raises
    ------
    BrambleError
        The authority has expired, or may not sign for what was asked for; or files cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BrambleError(f"{folder} cannot be made", why=error.strerror or "") from None
    signer = authority.kept(folder, wanted, anew=new_authority)
    beyond = [name for name in asked if not signer.permits(name)]
    if beyond:
        why = "it was made for other names, and for those of private networks"
        raise UsageError(f"the certificate authority may not sign for {', '.join(beyond)}", why=why, hint=ANEW)
    permitted = tuple(name for name in wanted if signer.permits(name))
    found = Identity(
        certificate=folder / "server.crt", key=folder / "server.key", authority=folder / "ca.crt", names=permitted
    )
    if not _serves(found, signer):
        certificate, key = signer.sign(permitted)
        put(found.key, key, 0o600)
        put(found.certificate, certificate, 0o644)
    return found


def brought(certificate: Path, key: Path, also: tuple[str, ...] = ()) -> Identity:
    """The identity that a person brought.

    Parameters
    ----------
    also
        Names by which the service may be called besides those in the certificate.

    Raises
    ------
    UsageError
        The files do not belong together, cannot be read, or the certificate is not valid now.
    """
    try:
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read", why=error.strerror or "") from None
    except (ValueError, TypeError) as error:
        why = "the key has a password" if isinstance(error, TypeError) else "they are to be PEM"
        raise UsageError(f"{certificate} and {key} are no certificate and key", why=why) from None
    if made.public_key() != private.public_key():
        raise UsageError(f"{key} is not the key of {certificate}")
    now = datetime.now(UTC)
    if not made.not_valid_before_utc <= now <= made.not_valid_after_utc:
        begins, ends = made.not_valid_before_utc, made.not_valid_after_utc
        raise UsageError(f"{certificate} is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}, and not now")
    called = dict.fromkeys((*(name for name in _names(made) if "*" not in name), *also))
    return Identity(certificate=certificate, key=key, authority=None, names=tuple(called))


class Credentials:
    """An identity in use: kept up to date while the service runs.

    Parameters
    ----------
    find
        Finds the identity as it should be now.
    """

    def __init__(self, find: Callable[[], Identity]) -> None:
        self._find = find
        self.identity = find()
        self.context = _Context(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._load()

    def look(self) -> bool:
        """Renew what is to be renewed; connections that begin from now on see it. Whether anything was new.

        Raises
        ------
        BrambleError
            There is no identity now; the old one stays in use.
        """
        self.identity = self._find()
        if self._content() == self._loaded:
            return False
        self._load()
        return True

    def _load(self) -> None:
        try:
            self._loaded = self._content()
            self.context.load_cert_chain(self.identity.certificate, self.identity.key)
        except (OSError, ssl.SSLError) as error:
            raise BrambleError(f"{self.identity.certificate} cannot be used", why=str(error)) from None

    def _content(self) -> bytes:
        return self.identity.certificate.read_bytes()


def of_machine(folder: Path, address: str, asked: tuple[str, ...] = (), *, anew: bool = False) -> Identity:
    """The own identity of a service that listens on an address, for all that this machine is called now.

    Parameters
    ----------
    asked
        What it is called besides.
    anew
        Make another authority, too.
    """
    named = tuple(names.checked(name) for name in asked)
    if not names.is_any(address):
        named += (names.checked(address),)
    return own(folder, names.here(address, named), named, new_authority=anew)


def _serves(identity: Identity, signer: Authority) -> bool:
    """Whether a certificate is there, is of this authority, for just these names, and lasts."""
    try:
        made = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
        key = serialization.load_pem_private_key(identity.key.read_bytes(), None)
        made.verify_directly_issued_by(signer.certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    lasts = min(datetime.now(UTC) + RENEW, signer.expires)
    fits = set(_names(made)) == set(identity.names) and made.public_key() == key.public_key()
    return fits and made.not_valid_after_utc >= lasts


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in found if isinstance(name, x509.DNSName | x509.IPAddress))


class _Context(ssl.SSLContext):
    """A context whose connections tell those who speak plain HTTP what to do instead."""

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **more: Any) -> ssl.SSLObject:
        made = super().wrap_bio(incoming, outgoing, *args, **more)
        assert isinstance(made, _Handshake)
        made.outgoing = outgoing
        return made


class _Handshake(ssl.SSLObject):
    outgoing: ssl.MemoryBIO

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason != "HTTP_REQUEST":
                raise
            self.outgoing.write(_ANSWER)
            # As if it waited for more: then asyncio sends what is there. The connection ends when the other side
            # has read it, or with the time that a handshake may take.
            raise ssl.SSLWantReadError from None


_Context.sslobject_class = _Handshake
