"""Certificates of servers: believed by whoever believes the authority that signed them, and made anew in time."""

from __future__ import annotations

import ipaddress
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from bramble.engine import certificates
from bramble.engine.secrets import SecretStore
from bramble.plan import Plan, group
from bramble.runner.secret import Secret
from bramble.runner.steps import File

CA = {"ca.key": Secret("mine/ca.key", form="ca-key"), "ca.crt": Secret("mine/ca.crt", form="ca-certificate")}


def plan(*names: str, authority: bool = True) -> Plan:
    server = {
        "red.crt": Secret("mine/red.crt", form="tls-certificate", names=names),
        "red.key": Secret("mine/red.key", form="tls-key"),
    }
    wanted = {**server, **CA} if authority else server
    files = (File(path=f"/etc/{name}", content=secret) for name, secret in wanted.items())
    return Plan(service="mine", groups=(group("Files", ["red"], *files),))


def test_a_server_is_believed_by_its_names_and_addresses(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "red")
    made = store.values(plan("red", "10.1.1.1"), make=True)
    certificate = x509.load_pem_x509_certificate(made["mine/red.crt"])
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(made["mine/ca.crt"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["red"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.1.1.1")]
    assert stat.S_IMODE((tmp_path / "red" / "mine" / "red.key").stat().st_mode) == 0o600


def test_what_is_still_good_stays(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "red")
    first = store.values(plan("red", "10.1.1.1"), make=True)
    assert store.values(plan("red", "10.1.1.1"), make=True) == first
    # Also where a plan does not name the authority.
    assert store.values(plan("red", "10.1.1.1", authority=False), make=True)["mine/red.crt"] == first["mine/red.crt"]


@pytest.mark.parametrize("change", ["address", "key", "authority", "age"])
def test_what_is_no_longer_good_is_made_anew(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SecretStore(tmp_path / "red")
    if change == "age":
        monkeypatch.setattr(certificates, "CLIENT", timedelta(days=80))
    first = store.values(plan("red", "10.1.1.1"), make=True)
    monkeypatch.undo()
    if change == "key":
        (tmp_path / "red" / "mine" / "red.key").unlink()
    if change == "authority":
        for name in ("ca.key", "ca.crt"):
            (tmp_path / "red" / "mine" / name).unlink()
    wanted = plan("red", "10.1.1.2" if change == "address" else "10.1.1.1")
    second = store.values(wanted, make=True)
    assert second["mine/red.crt"] != first["mine/red.crt"]
    assert certificates.serves(
        second["mine/red.crt"],
        second["mine/red.key"],
        second["mine/ca.crt"],
        ("red", "10.1.1.2") if change == "address" else ("red", "10.1.1.1"),
    )
    assert x509.load_pem_x509_certificate(second["mine/red.crt"]).not_valid_after_utc > datetime.now(UTC) + timedelta(
        days=300
    )


def test_a_dry_run_makes_none(tmp_path: Path) -> None:
    SecretStore(tmp_path / "red").values(plan("red"), make=False)
    assert not (tmp_path / "red").exists()
