"""The cluster file by which the rest of bramble knows a lab's hosts.

``bramble.inventory`` is imported where it is used: supervisors of hosts load this package, too, and have no need of it.
"""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_config_path

from bramble.errors import UsageError
from bramble.lab.folders import remove_if_empty
from bramble.lab.identity import client_key, known_hosts, replace_file
from bramble.lab.state import LabSpec

_MARK = "# Written by `bramble lab up`, removed by `bramble lab down`. Take this line out to keep the file.\n"


def cluster_name(lab: LabSpec, default: str = "red") -> str:
    """Name of the lab's cluster: ``lab`` for the default one, else the lab's own."""
    return "lab" if lab.name == default else lab.name


def cluster_file(lab: LabSpec) -> Path:
    """Where the lab's cluster file is."""
    return user_config_path("bramble") / "clusters" / f"{cluster_name(lab)}.yaml"


def write(lab: LabSpec) -> None:
    """Write the cluster file, or add what it lacks: what is deployed on the hosts stands in it, too, and stays.

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
    if not file.exists() or not _join(lab):
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, _text(lab))


def remove(lab: LabSpec) -> None:
    """Remove the cluster file if it still carries the lab's mark."""
    file = cluster_file(lab)
    if file.exists() and _ours(file):
        file.unlink()
        remove_if_empty(file.parent, file.parent.parent)


def _join(lab: LabSpec) -> bool:
    """Add hosts to the file that is there; False when it is of an earlier lab, whose hosts had other addresses."""
    from bramble import inventory  # noqa: PLC0415
    from bramble.model import Host  # noqa: PLC0415

    here = {host.name: str(lab.address(host)) for host in lab.hosts}
    known = inventory.load(cluster_name(lab)).hosts
    if any(here.get(host.name, host.address) != host.address for host in known):
        return False
    key, keys = str(client_key(lab)), str(known_hosts(lab))
    ways = [Host(name=name, address=address, user="pi", key=key, known_hosts=keys) for name, address in here.items()]
    inventory.join(cluster_name(lab), tuple(ways))
    return True


def _text(lab: LabSpec) -> str:
    from bramble.model import HostSet  # noqa: PLC0415

    lines = [
        _MARK,
        f'hosts: "{HostSet(host.name for host in lab.hosts)}"\n',
        "user: pi\n",
        f"key: {client_key(lab)}\n",
        f"known_hosts: {known_hosts(lab)}\n",
        "addresses:\n",
        *(f"  {host.name}: {lab.address(host)}\n" for host in lab.hosts),
    ]
    return "".join(lines)


def _ours(file: Path) -> bool:
    return file.read_text(errors="replace").startswith(_MARK)
