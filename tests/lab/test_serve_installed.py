"""`bramble serve --install` on a host of each release: shut in, with a certificate of its own and with one brought."""

from __future__ import annotations

import importlib.metadata
import io
import platform
import re
import ssl
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from packaging.requirements import Requirement

import bramble
from bramble import lab as labs
from bramble.lab.testing import Lab
from bramble.rest import authority

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PASSWORD = "correct horse battery"

#: Debian's releases, and the Python of each.
RELEASES = {"bookworm": "3.11", "trixie": "3.13"}

#: What is compiled for these runs on each of them.
_PLATFORMS = [f"manylinux_2_28_{platform.machine()}", f"manylinux2014_{platform.machine()}"]

_LOCK = Path(__file__).parents[2] / "requirements/dev.txt"

PROGRAM = "/opt/bramble/bin/bramble"


def bring(lab: Lab, host: str, python: str, packages: Path) -> None:
    """Put bramble with all that its service needs into /opt/bramble of a host."""
    download(packages, python)
    lab.shell(host, "python3 -m venv --without-pip /opt/bramble")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder in (packages, Path(bramble.__file__).parent.parent):
            for path in folder.rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    name = f"lib/python{python}/site-packages/{path.relative_to(folder)}"
                    tar.add(path, name, recursive=False)
        script = b"#!/opt/bramble/bin/python3\nfrom bramble.cli import main\nmain()\n"
        entry = tarfile.TarInfo("bin/bramble")
        entry.size, entry.mode = len(script), 0o755
        tar.addfile(entry, io.BytesIO(script))
    unpack = ["tar", "--extract", "--no-same-owner", "--directory=/opt/bramble"]
    labs.execute(lab.name, host, unpack, stdin=archive.getvalue())


def download(packages: Path, python: str) -> None:
    """Put what the service needs besides bramble into a folder, as it is pinned, for a Python that need not be ours."""
    wanted = needed()
    pinned = re.split(r"\n(?=\w)", _LOCK.read_text())
    chosen = packages.with_suffix(".txt")
    chosen.write_text("\n".join(one for one in pinned if one.partition("=")[0].partition("[")[0] in wanted))
    where = [word for one in _PLATFORMS for word in ("--platform", one)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--only-binary", ":all:",
         "--require-hashes", "--requirement", chosen, "--target", packages, "--python-version", python, *where],
        check=True,
    )  # fmt: skip


def needed() -> set[str]:
    """Names of all that the service needs."""
    pending, seen = [("pi-bramble", "serve")], set[tuple[str, str]]()
    while pending:
        name, extra = pending.pop()
        for text in importlib.metadata.requires(name) or ():
            found = Requirement(text)
            if found.marker is None or found.marker.evaluate({"extra": extra}):
                more = {(found.name, one) for one in ("", *found.extras)} - seen
                pending += more
                seen |= more
    return {re.sub(r"[-_.]+", "-", name).lower() for name, _ in seen}


@pytest.fixture(params=RELEASES)
def host(
    request: pytest.FixtureRequest, make_lab: Callable[..., Lab], fresh_lab: Lab, tmp_path: Path
) -> Iterator[tuple[Lab, str]]:
    """A host with bramble on it."""
    lab = fresh_lab if request.param == "bookworm" else make_lab("white", 1, request.param)
    bring(lab, lab.hosts[0], RELEASES[request.param], tmp_path / "packages")
    yield lab, lab.hosts[0]
    if lab is not fresh_lab:
        labs.down(lab.name)


def test_installed_it_is_a_hardened_service_that_goes_without_a_trace(host: tuple[Lab, str], tmp_path: Path) -> None:
    lab, name = host
    before = lab.snapshot(name)
    clusters = "mkdir -p /root/.config/bramble/clusters; echo 'hosts: blue' > /root/.config/bramble/clusters/blue.yaml"
    lab.shell(name, f"umask 077; echo '{PASSWORD}' > /root/password; {clusters}")
    install = f"{PROGRAM} serve --install --address 0.0.0.0 --copy-clusters --yes 2>&1"
    refused = lab.shell(name, f"{install} < /dev/null || true")
    assert "--admin NAME --password-file FILE" in refused
    said = lab.shell(name, f"{install} --admin ada --password-file /root/password")
    assert "SHA-256" in said
    assert "ssh-ed25519 " in said
    assert "blue.yaml" in said
    assert "nothing was changed" in lab.shell(name, install)

    # It runs as its own user, shut in.
    assert lab.shell(name, "systemctl is-active bramble; systemctl is-enabled bramble").split() == ["active", "enabled"]
    assert lab.shell(name, "ps -o user= -p $(systemctl show --property MainPID --value bramble)").strip() == "bramble"
    exposure = lab.shell(name, "systemd-analyze security bramble.service --no-pager | tail -1")
    assert float(exposure.split(":")[1].split()[0]) < 3, exposure
    open_to_others = "find /var/lib/bramble-service -not -type l -perm /077 -not -name '*.crt' -not -name '*.pub'"
    assert lab.shell(name, open_to_others) == ""

    # Who has its certificate authority reaches it over the network, and finds what was copied.
    trusted = tmp_path / "ca.pem"
    trusted.write_text(lab.shell(name, "cat /var/lib/bramble-service/.local/share/bramble/service/tls/ca.crt"))
    create = f"{PROGRAM} tokens create ci --owner ada --scope read"
    token = lab.shell(name, f"cd /; setpriv --reuid bramble --regid bramble --clear-groups "
                      f"env HOME=/var/lib/bramble-service {create} 2>/dev/null").strip()  # fmt: skip
    context = ssl.create_default_context(cafile=str(trusted))
    url = f"https://{lab.address(name)}:8443"
    answer = httpx.get(f"{url}/api/v1/clusters", headers={"Authorization": f"Bearer {token}"}, verify=context)
    assert "blue" in answer.text, answer.text
    assert httpx.get(f"{url}/ca.pem", verify=context).text == trusted.read_text()

    # With a certificate of one's own, which it can only use when it may read it.
    own = "pis.example.org"
    signer = authority.kept(tmp_path, (own,))
    for suffix, content in zip(("crt", "key"), signer.sign((own,)), strict=True):
        labs.execute(lab.name, name, ["sh", "-c", f"umask 077; cat > /etc/ssl/own.{suffix}"], stdin=content)
    brought = f"{install} --certificate /etc/ssl/own.crt --key /etc/ssl/own.key"
    assert "the service's user bramble could not read /etc/ssl/own.crt" in lab.shell(name, f"{brought} || true")
    assert lab.shell(name, "systemctl is-active bramble").strip() == "active", "it goes on as it was"
    lab.shell(name, "chgrp bramble /etc/ssl/own.*; chmod 640 /etc/ssl/own.*")
    assert "SHA-256" not in lab.shell(name, brought), "there is no authority of its own to compare"
    theirs = ssl.create_default_context(cadata=signer.certificate.public_bytes(Encoding.PEM).decode())
    with httpx.Client(verify=theirs, headers={"Host": own}) as client:
        answer = client.get(f"{url}/login", extensions={"sni_hostname": own})
    assert answer.status_code == 200, answer.text

    # It comes back when it is killed, and goes when it is told to.
    lab.shell(name, "systemctl kill --signal KILL bramble; until systemctl is-active bramble; do sleep 0.5; done")
    kept = lab.shell(name, f"{PROGRAM} serve --uninstall --yes")
    assert "stays in /var/lib/bramble-service" in kept
    assert lab.shell(name, "stat --format '%U %a' /var/lib/bramble-service").split() == ["root", "700"]
    again = lab.shell(name, f"{install} --address 127.0.0.1")
    assert "https://localhost:8443/" in again
    lab.shell(
        name, f"{PROGRAM} serve --uninstall --purge --yes; rm -r /root/password /root/.config/bramble /etc/ssl/own.*"
    )
    lab.shell(name, "rmdir --ignore-fail-on-non-empty /root/.config 2>/dev/null || true")
    assert labs.diff_snapshots(before, lab.snapshot(name)) == []
