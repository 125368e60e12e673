"""Keys and certificates that are made on the controller, so that no host waits until another has made them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: How long an authority, and what it signs, is believed: as kubeadm has it.
AUTHORITY, CLIENT = timedelta(days=3650), timedelta(days=365)

#: A certificate is renewed when it lasts no longer than this.
RENEW = timedelta(days=90)

#: A Pi has no clock of its own, and may be a little late when it first sees a certificate.
EARLY = timedelta(hours=1)


def _pem(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _load(pem: bytes) -> CertificateIssuerPrivateKeyTypes:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key


def _ec_key() -> bytes:
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def _rsa_key() -> bytes:
    return _pem(rsa.generate_private_key(65537, 2048))


def _rsa_public(key: bytes, _: str) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _load(key).public_key().public_bytes(serialization.Encoding.PEM, form)


def _ca_certificate(key: bytes, cluster: str) -> bytes:
    private = _load(key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{cluster}-ca")])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        begun(name, name, datetime.now(UTC) + AUTHORITY)
        .public_key(private.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
    )
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def client(ca_certificate: bytes, ca_key: bytes, user: str, group: str) -> tuple[bytes, bytes]:
    """A certificate and its key, PEM, by which a user is believed to be a member of a group for a year."""
    authority, signing = x509.load_pem_x509_certificate(ca_certificate), _load(ca_key)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group), x509.NameAttribute(NameOID.COMMON_NAME, user)]
    )
    made = (
        begun(name, authority.subject, datetime.now(UTC) + CLIENT)
        .public_key(key.public_key())
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    return made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), _pem(key)


def server(key: bytes, ca_certificate: bytes, ca_key: bytes, names: tuple[str, ...]) -> bytes:
    """A certificate, PEM, by which the holder of a key is believed to be a server of these names for a year."""
    authority, signing = x509.load_pem_x509_certificate(ca_certificate), _load(ca_key)
    made = (
        begun(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]),
            authority.subject,
            datetime.now(UTC) + CLIENT,
        )
        .public_key(_load(key).public_key())
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([alternative(name) for name in names]), critical=False)
    )
    return made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def serves(certificate: bytes, key: bytes, ca_certificate: bytes, names: tuple[str, ...]) -> bool:
    """Whether a certificate is for this key and just these names, and `lasts`."""
    if not lasts(certificate, ca_certificate):
        return False
    made = x509.load_pem_x509_certificate(certificate)
    named = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(named) == [alternative(name) for name in names] and made.public_key() == _load(key).public_key()


def alternative(name: str) -> x509.GeneralName:
    """A name or an address as certificates have it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def lasts(certificate: bytes, ca_certificate: bytes) -> bool:
    """Whether a certificate was signed by this authority, and will be believed for some months more."""
    try:
        made, authority = map(x509.load_pem_x509_certificate, (certificate, ca_certificate))
        made.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return made.not_valid_after_utc > datetime.now(UTC) + RENEW


def begun(subject: x509.Name, issuer: x509.Name, ends: datetime) -> x509.CertificateBuilder:
    """A certificate that is believed from now, or a little earlier, until it ends; all else is still to be said."""
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).not_valid_after(ends)
    return made.serial_number(x509.random_serial_number()).not_valid_before(datetime.now(UTC) - EARLY)


#: Forms of `Secret` that are keys.
KEYS: dict[str, Callable[[], bytes]] = {"ca-key": _ec_key, "rsa-key": _rsa_key, "tls-key": _ec_key}

#: Forms of `Secret` that are made from the key beside them, and the cluster's name.
OF_KEYS: dict[str, Callable[[bytes, str], bytes]] = {"ca-certificate": _ca_certificate, "rsa-public": _rsa_public}

#: The form of `Secret` that is made by `server`.
OF_SERVER = "tls-certificate"
