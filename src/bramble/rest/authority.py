"""The service's own certificate authority: made at the first start, on this machine, for this machine.

It is name-constrained: whoever trusts it trusts it for this machine's names and for names and addresses that mean
something in one's own network alone, and for nothing else, so its key is worth nothing elsewhere.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..engine.certificates import alternative, begun
from ..errors import BrambleError
from ..inventory.storage import put

#: How long the authority lasts, and what it signs: browsers refuse leaves of more than 398 days.
LIFE, LEAF = timedelta(days=3650), timedelta(days=90)

#: What anybody who trusts it is to do when there is another.
ANEW = "bramble serve --new-authority; whoever trusted the old one has to trust the new one"

#: Addresses that it may sign for, besides those of its first start: private ones, and those of this machine alone.
_NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip

#: Names below these belong to one's own network by the rules of the internet.
_OWN_NETWORK = ("local", "internal", "home.arpa")


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority and its key.

    Attributes
    ----------
    certificate
        What is trusted.
    key
        Signs; it never leaves the service's folder.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def expires(self) -> datetime:
        """When it is believed no longer."""
        return self.certificate.not_valid_after_utc

    def permits(self, name: str) -> bool:
        """Whether it may sign for a name or an address."""
        constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        return any(
            _covers(permitted.value, alternative(name).value) for permitted in constraints.permitted_subtrees or ()
        )

    def sign(self, names: tuple[str, ...]) -> tuple[bytes, bytes]:
        """A certificate for a server of these names, and its key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(datetime.now(UTC) + LEAF, self.expires)
        made = (
            begun(_title(f"bramble at {names[0]}"), self.certificate.subject, ends)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([alternative(name) for name in names]), critical=False)
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM), _pem(key)


def kept(folder: Path, names: tuple[str, ...], *, anew: bool = False) -> Authority:
    """The authority of a folder; one that may sign for these names is made where there is none.

    Parameters
    ----------
    anew
        Make another one in place of what is there.

    Raises
    ------
    BrambleError
        It has expired, or its files cannot be used.
    """
    certificate, key = folder / "ca.crt", folder / "ca.key"
    if anew or not certificate.exists():
        made = _made(names)
        # The certificate comes last: where it is, there is its key.
        put(key, _pem(made.key), 0o600)
        put(certificate, made.certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        return made
    try:
        signer = serialization.load_pem_private_key(key.read_bytes(), None)
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        if not isinstance(signer, ec.EllipticCurvePrivateKey) or signer.public_key() != found.public_key():
            raise ValueError(f"{key.name} is not its key")
    except (OSError, ValueError) as error:
        why = error.strerror or "" if isinstance(error, OSError) else str(error)
        raise BrambleError(f"the certificate authority {certificate} cannot be used", why=why, hint=ANEW) from None
    if found.not_valid_after_utc <= datetime.now(UTC):
        ended = f"{found.not_valid_after_utc:%Y-%m-%d}"
        raise BrambleError(f"the service's certificate authority expired on {ended}", hint=ANEW)
    return Authority(certificate=found, key=signer)


def _covers(permitted: object, wanted: object) -> bool:
    if isinstance(permitted, str) and isinstance(wanted, str):
        return f".{wanted}".endswith(f".{permitted}")
    if isinstance(permitted, ipaddress.IPv4Network) and isinstance(wanted, ipaddress.IPv4Address):
        return wanted in permitted
    return (
        isinstance(permitted, ipaddress.IPv6Network)
        and isinstance(wanted, ipaddress.IPv6Address)
        and (wanted in permitted)
    )


def _made(names: tuple[str, ...]) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    # A number of its own: browsers tell authorities apart by name, and would take a new one for the old one.
    title = _title(f"bramble on {names[0]} {os.urandom(4).hex()}")
    given = [alternative(name) for name in names]
    permitted: list[x509.GeneralName] = [name for name in given if isinstance(name, x509.DNSName)]
    permitted += [x509.DNSName(name) for name in _OWN_NETWORK]
    permitted += [x509.IPAddress(ipaddress.ip_network(network)) for network in _NETWORKS]
    addresses = [name.value for name in given if isinstance(name, x509.IPAddress)]
    beyond = [one for one in addresses if not any(_covers(network.value, one) for network in permitted)]
    permitted += [x509.IPAddress(ipaddress.ip_network(str(one))) for one in beyond]
    made = (
        begun(title, title, datetime.now(UTC) + LIFE)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate=made, key=key)


def _title(name: str) -> x509.Name:
    # The field holds 64 characters; nobody goes by it, as the names stand in a field of their own.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _usage(*uses: str) -> x509.KeyUsage:
    all_uses = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{use: use in uses for use in all_uses})


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
