"""Who trusts the service's authority trusts it for this machine alone; and what the service shows stays good."""

from __future__ import annotations

import contextlib
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from bramble.errors import BrambleError, UsageError
from bramble.inventory.storage import put
from bramble.rest import authority, names, tls

NAMES = ("red", "red.local", *names.LOOPBACK, "192.168.7.1", "fd00::7")


def met(server: ssl.SSLContext, trusted: Path, name: str, **limits: ssl.TLSVersion) -> str:
    """Let a strict client meet a server of this context in memory; the version of TLS that they agree on."""
    client = ssl.create_default_context(cafile=str(trusted))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    # Old versions want ciphers that are refused otherwise: it is the server that is to refuse them.
    client.set_ciphers("ALL:@SECLEVEL=0")
    for limit, version in limits.items():
        setattr(client, limit, version)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    done = set()
    for _ in range(4):
        for side in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
                done.add(side)
    assert len(done) == 2
    return sides[0].version() or ""


def signed(folder: Path, *wanted: str) -> ssl.SSLContext:
    """A server with a certificate that the folder's authority signed for any names at all."""
    certificate, key = authority.kept(folder, NAMES).sign(wanted)
    for name, content in (("any.crt", certificate), ("any.key", key)):
        put(folder / name, content, 0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "any.crt", folder / "any.key")
    return context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an authority and its certificate are, for this machine."""
    tls.own(tmp_path / "tls", NAMES)
    return tmp_path / "tls"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_believed_by_all_names_of_the_machine(folder: Path, name: str) -> None:
    made = tls.Credentials(lambda: tls.own(folder, NAMES))
    assert met(made.context, folder / "ca.crt", name) == "TLSv1.3"


@pytest.mark.parametrize("name", ["example.org", "evilred", "redlocal", "8.8.8.8", "2001:db8::1"])
def test_its_authority_is_believed_for_nothing_else(folder: Path, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        met(signed(folder, name), folder / "ca.crt", name)
    assert not authority.kept(folder, NAMES).permits(name)


@pytest.mark.parametrize("name", ["blue.red", "other.local", "10.1.2.3", "fe80::1"])
def test_its_authority_is_believed_in_its_own_network(folder: Path, name: str) -> None:
    assert met(signed(folder, name), folder / "ca.crt", name)
    assert authority.kept(folder, NAMES).permits(name)


def test_an_authority_cannot_make_another(folder: Path) -> None:
    made = authority.kept(folder, NAMES).certificate
    constraints = made.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_nobody_is_talked_down_to_an_old_version(folder: Path, version: ssl.TLSVersion) -> None:
    made = tls.Credentials(lambda: tls.own(folder, NAMES))
    assert met(made.context, folder / "ca.crt", "red", maximum_version=ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError, match=r"UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION"):
        met(made.context, folder / "ca.crt", "red", minimum_version=version, maximum_version=version)


def test_nobody_else_reads_the_keys(folder: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (modes["ca.key"], modes["server.key"]) == (0o600, 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_lasts_is_kept_and_what_does_not_is_renewed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tls.Credentials(lambda: tls.own(folder, NAMES))
    assert not made.look()
    first = (folder / "server.crt").read_bytes()
    monkeypatch.setattr(tls, "RENEW", timedelta(days=100))
    assert made.look()
    assert (folder / "server.crt").read_bytes() != first
    assert met(made.context, folder / "ca.crt", "red")


def test_another_address_makes_another_certificate_of_the_same_authority(folder: Path) -> None:
    wanted = list(NAMES)
    made = tls.Credentials(lambda: tls.own(folder, tuple(wanted)))
    believed = (folder / "ca.crt").read_bytes()
    wanted.append("10.0.0.9")
    with pytest.raises(ssl.SSLCertVerificationError):
        met(made.context, folder / "ca.crt", "10.0.0.9")
    assert made.look()
    assert met(made.context, folder / "ca.crt", "10.0.0.9")
    assert (folder / "ca.crt").read_bytes() == believed


@pytest.mark.parametrize("broken", ["server.key", "server.crt"])
def test_a_certificate_that_a_cut_left_without_its_key_is_made_anew(folder: Path, broken: str) -> None:
    tls.own(other := folder.parent / "other", NAMES)
    (folder / broken).write_bytes((other / broken).read_bytes())
    made = tls.Credentials(lambda: tls.own(folder, NAMES))
    assert met(made.context, folder / "ca.crt", "red")


def test_names_beyond_it_are_refused_where_asked_for_and_left_out_where_found(folder: Path) -> None:
    found = tls.own(folder, (*NAMES, "blue", "203.0.113.9"))
    assert found.names == NAMES
    with pytest.raises(UsageError, match=r"may not sign for red\.example\.org") as told:
        tls.own(folder, NAMES, ("red.example.org",))
    assert "--new-authority" in told.value.hint


def test_a_new_authority_signs_for_new_names(folder: Path) -> None:
    old = tls.fingerprint(folder / "ca.crt")
    tls.own(folder, (*NAMES, "203.0.113.9"), ("203.0.113.9",), new_authority=True)
    assert tls.fingerprint(folder / "ca.crt") != old
    made = tls.Credentials(lambda: tls.own(folder, (*NAMES, "203.0.113.9")))
    assert met(made.context, folder / "ca.crt", "203.0.113.9")


def test_an_expired_authority_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(authority, "LIFE", timedelta(seconds=-5))
        put(tmp_path / "ca.key", b"", 0o600)
        authority.kept(tmp_path, NAMES)
    with pytest.raises(BrambleError, match="expired on") as told:
        tls.own(tmp_path, NAMES)
    assert "bramble serve --new-authority" in told.value.hint


def test_towards_the_end_of_an_authority_it_signs_no_longer_than_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "LIFE", timedelta(days=5))
    made = tls.Credentials(lambda: tls.own(tmp_path, NAMES))
    assert not made.look(), "it is not made anew at each look"
    ends = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes()).not_valid_after_utc
    assert ends <= datetime.now(UTC) + timedelta(days=5)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_a_broken_authority_is_named(folder: Path, content: bytes) -> None:
    (folder / "ca.crt").write_bytes(content)
    with pytest.raises(BrambleError, match="cannot be used") as told:
        tls.own(folder, NAMES)
    assert "ca.crt" in str(told.value)


# Brought by a person


def test_a_certificate_of_ones_own_is_used_and_followed(folder: Path, tmp_path: Path) -> None:
    certificate, key = folder / "server.crt", folder / "server.key"
    made = tls.Credentials(lambda: tls.brought(certificate, key))
    assert set(made.identity.names) == set(NAMES)
    assert made.identity.authority is None
    signer = authority.kept(folder, NAMES)
    for path, content in zip((certificate, key), signer.sign(("renewed.local",)), strict=True):
        path.write_bytes(content)
    assert made.look()
    assert met(made.context, folder / "ca.crt", "renewed.local")


def test_one_that_cannot_be_used_is_refused_with_the_reason(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = folder / "server.crt", folder / "server.key"
    with pytest.raises(UsageError, match="is not the key of"):
        tls.brought(certificate, folder / "ca.key")
    with pytest.raises(UsageError, match="PEM"):
        tls.brought(key, certificate)
    with pytest.raises(UsageError, match="No such file"):
        tls.brought(tmp_path / "none.crt", key)
    monkeypatch.setattr(authority, "LEAF", timedelta(seconds=-60))
    for path, content in zip((certificate, key), authority.kept(folder, NAMES).sign(NAMES), strict=True):
        path.write_bytes(content)
    with pytest.raises(UsageError, match="and not now"):
        tls.brought(certificate, key)


# What this machine is called


def test_a_service_for_this_machine_alone_has_no_address_of_the_network() -> None:
    found = names.here("127.0.0.1", ("Red.Example.org", "2001:DB8::7"))
    assert {*names.LOOPBACK, "red.example.org", "2001:db8::7"} <= set(found)
    assert not set(found) & set(names.addresses())


def test_a_service_for_the_network_has_all_addresses() -> None:
    assert set(names.addresses()) <= set(names.here("0.0.0.0"))
    assert not any(one.startswith(("127.", "fe80:")) for one in names.addresses())


@pytest.mark.parametrize("name", ["", "two words", "*", "https://red", "a\nb", "-x", "x" * 64])
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="can be no name"):
        names.here("127.0.0.1", (name,))


def test_where_to_listen_is_an_address() -> None:
    with pytest.raises(UsageError, match="no address to listen on"):
        names.here("eth0")
