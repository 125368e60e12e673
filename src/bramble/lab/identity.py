"""Who a host is, and how the controller knows it: host keys made beforehand, and the lab's client key."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from bramble.lab.process import run
from bramble.lab.state import HostSpec, LabSpec
from bramble.lab.tree import resolver

#: Users whom the lab's key opens; see :mod:`bramble.lab.tree`.
USERS = ("pi", "pw", "nosudo")


def client_key(lab: LabSpec) -> Path:
    """The private key that opens the lab's hosts."""
    return lab.folder / "id_ed25519"


def known_hosts(lab: LabSpec) -> Path:
    """The lab's own known_hosts file."""
    return lab.folder / "known_hosts"


def make_keys(lab: LabSpec) -> None:
    """Make whatever key is missing (0600), and write known_hosts for all hosts, by name and by address."""
    _key(client_key(lab), f"pi@{lab.name}")
    lines = []
    for host in lab.hosts:
        file = _host_key(lab, host)
        _key(file, f"root@{host.name}")
        kind, public = file.with_suffix(".pub").read_text().split()[:2]
        lines.append(f"{host.name},{lab.address(host)} {kind} {public}\n")
    replace_file(known_hosts(lab), "".join(lines))


def _host_key(lab: LabSpec, host: HostSpec) -> Path:
    return lab.host_folder(host) / "ssh_host_ed25519_key"


def _key(file: Path, comment: str) -> None:
    if file.exists() and file.with_suffix(".pub").exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file], what="making a key")


def replace_file(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = file.with_name(f"{file.name}.part")
    part.write_text(text)
    os.replace(part, file)


def personalise(lab: LabSpec, host: HostSpec, upper: Path) -> None:
    """Write onto a host's own disk what makes it this host: name, machine id, keys, resolver."""
    key = _host_key(lab, host)
    authorized = client_key(lab).with_suffix(".pub").read_text()
    tree = Path(host.tree)
    hosts = f"127.0.0.1\tlocalhost\n127.0.1.1\t{host.name}\n\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    hosts += "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
    machine = uuid.uuid5(uuid.NAMESPACE_OID, f"{lab.folder}/{host.name}").hex
    _put(upper, tree, "etc/hostname", f"{host.name}\n")
    _put(upper, tree, "etc/hosts", hosts)
    _put(upper, tree, "etc/machine-id", f"{machine}\n", mode=0o444)
    _put(upper, tree, "etc/resolv.conf", resolver())
    _put(upper, tree, "etc/ssh/ssh_host_ed25519_key", key.read_text(), mode=0o600)
    _put(upper, tree, "etc/ssh/ssh_host_ed25519_key.pub", key.with_suffix(".pub").read_text())
    for user in USERS:
        _put(upper, tree, f"home/{user}/.ssh/authorized_keys", authorized, mode=0o600)
        owner = (tree / "home" / user).stat()
        folder = upper / "home" / user / ".ssh"
        folder.chmod(0o700)
        for path in (folder, folder / "authorized_keys"):
            os.chown(path, owner.st_uid, owner.st_gid)


def _put(upper: Path, tree: Path, name: str, text: str, mode: int = 0o644) -> None:
    path = make_folder(upper, tree, str(Path(name).parent)) / Path(name).name
    path.write_text(text)
    path.chmod(mode)


def make_folder(upper: Path, tree: Path, name: str) -> Path:
    """Make a folder in a host's upper layer; it and those above come out as they are in the tree below, if they are."""
    for folder in [*reversed(Path(name).parents), Path(name)]:
        if not (upper / folder).exists():
            (upper / folder).mkdir(parents=True)
            if (tree / folder).exists():
                below = (tree / folder).stat()
                os.chown(upper / folder, below.st_uid, below.st_gid)
                shutil.copymode(tree / folder, upper / folder)
    return upper / name
