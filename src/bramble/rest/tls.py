"""The service's own certificate authority, and the certificate that it signs for this machine.

The authority is name-constrained: whoever trusts it trusts it for this machine's names and for private addresses, and
for nothing else, so its key is worth nothing elsewhere.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: How long the authority lasts, and what it signs: browsers refuse leaves of more than 398 days.
AUTHORITY, LEAF = timedelta(days=3650), timedelta(days=90)

#: A leaf is renewed when it lasts no longer than this.
RENEW = timedelta(days=30)

#: A Pi has no clock of its own, and may be a little late.
_EARLY = timedelta(hours=1)

#: Addresses that the authority may sign for: private ones and those of this machine alone.
_NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Files by which the service is known.

    Attributes
    ----------
    certificate, key
        Of the service, PEM.
    authority
        The certificate to trust; None where the person brought a certificate of their own.
    """

    certificate: Path
    key: Path
    authority: Path | None


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate, as browsers and openssl print it."""
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    digest = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def own(folder: Path, names: tuple[str, ...]) -> Identity:
    """The service's identity for these names and addresses; what is missing, or about to run out, is made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = Identity(certificate=folder / "server.crt", key=folder / "server.key", authority=folder / "ca.crt")
    assert found.authority is not None
    if not found.authority.exists():
        _make_authority(folder, names)
    if not _serves(found, names):
        _make_leaf(folder, names)
    return found


def names_here(more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names and addresses by which this machine may be called, besides those that are given."""
    host = socket.gethostname()
    return tuple(dict.fromkeys((host, f"{host.partition('.')[0]}.local", "localhost", "127.0.0.1", "::1", *more)))


def _make_authority(folder: Path, names: tuple[str, ...]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"bramble on {names[0]}")])
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in names if not _is_address(name)]
    permitted += [x509.DNSName("local")]
    permitted += [x509.IPAddress(ipaddress.ip_network(network)) for network in _NETWORKS]
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        _begun(title, title, AUTHORITY)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.key", _pem(key), 0o600)
    _write(folder / "ca.crt", made.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_leaf(folder: Path, names: tuple[str, ...]) -> None:
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), authority.subject, LEAF)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write(folder / "server.key", _pem(key), 0o600)
    _write(folder / "server.crt", made.public_bytes(serialization.Encoding.PEM), 0o644)


def _serves(identity: Identity, names: tuple[str, ...]) -> bool:
    if not identity.certificate.exists() or not identity.key.exists():
        return False
    made = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
    named = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(named) == [_general(name) for name in names] and made.not_valid_after_utc > datetime.now(UTC) + RENEW


def _begun(subject: x509.Name, issuer: x509.Name, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    return begun.serial_number(x509.random_serial_number()).not_valid_before(now - _EARLY).not_valid_after(now + life)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(name)) if _is_address(name) else x509.DNSName(name)


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
    os.replace(temporary, path)
