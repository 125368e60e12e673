"""Who a host is, and how the controller knows it: host keys made beforehand, the lab's client key, the cluster file."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from platformdirs import user_config_path

from bramble import inventory
from bramble.errors import UsageError
from bramble.lab.process import run
from bramble.lab.state import HostSpec, LabSpec
from bramble.lab.tree import resolver
from bramble.model import Host

_MARK = "# Written by `bramble lab up`, removed by `bramble lab down`. Take this line out to keep the file.\n"
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
    _replace(known_hosts(lab), "".join(lines))


def _host_key(lab: LabSpec, host: HostSpec) -> Path:
    return lab.host_folder(host) / "ssh_host_ed25519_key"


def _key(file: Path, comment: str) -> None:
    if file.exists() and file.with_suffix(".pub").exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file], what="making a key")


def _replace(file: Path, text: str) -> None:
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


def cluster_name(lab: LabSpec, default: str = "red") -> str:
    """Name of the lab's cluster: ``lab`` for the default one, else the lab's own."""
    return "lab" if lab.name == default else lab.name


def cluster_file(lab: LabSpec) -> Path:
    """The cluster file by which the rest of bramble knows the lab's hosts."""
    return user_config_path("bramble") / "clusters" / f"{cluster_name(lab)}.yaml"


def write_cluster_file(lab: LabSpec) -> None:
    """Write the cluster file.

    Raises
    ------
    UsageError
        A file of that name is there that the lab did not write, or that somebody made their own.
    """
    file = cluster_file(lab)
    if file.exists() and not _ours(file):
        raise UsageError(
            f"{file} is not the lab's own: it is left alone",
            hint="give the lab another --name, or move that file away",
        )
    if file.exists():
        known = inventory.load(cluster_name(lab))
        here = {host.name: str(lab.address(host)) for host in lab.hosts}
        if all(here.get(host.name, host.address) == host.address for host in known.hosts):
            # What is deployed on the hosts stands in it, too: it grows, and is not written anew.
            inventory.join(cluster_name(lab), tuple(_way(lab, name, address) for name, address in here.items()))
            return
    file.parent.mkdir(parents=True, exist_ok=True)
    numbers = [host.number for host in lab.hosts if host.number]
    folded = ",".join(_ranges(lab.name, numbers))
    names = ",".join(filter(None, [lab.name if any(not host.number for host in lab.hosts) else "", folded]))
    lines = [
        _MARK,
        f'hosts: "{names}"\n',
        "user: pi\n",
        f"key: {client_key(lab)}\n",
        f"known_hosts: {known_hosts(lab)}\n",
        "addresses:\n",
        *(f"  {host.name}: {lab.address(host)}\n" for host in lab.hosts),
    ]
    _replace(file, "".join(lines))


def _way(lab: LabSpec, name: str, address: str) -> Host:
    return Host(name=name, address=address, user="pi", key=str(client_key(lab)), known_hosts=str(known_hosts(lab)))


def _ranges(name: str, numbers: list[int]) -> list[str]:
    """Folded host names of consecutive numbers: ``red01``, ``red[02-05]``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [f"{name}{r[0]:02}" if len(r) == 1 else f"{name}[{r[0]:02}-{r[-1]:02}]" for r in runs]


def _ours(file: Path) -> bool:
    return file.read_text(errors="replace").startswith(_MARK)


def remove_cluster_file(lab: LabSpec) -> None:
    """Remove the cluster file if it still carries the lab's mark."""
    file = cluster_file(lab)
    if file.exists() and _ours(file):
        file.unlink()
