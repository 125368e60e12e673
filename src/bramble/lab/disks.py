"""A host's own disk: the layer over its base tree, and small disks of a given size that can be filled up safely."""

from __future__ import annotations

from pathlib import Path

from bramble.lab import identity
from bramble.lab.packages import lend_packages
from bramble.lab.state import HostSpec, LabSpec
from bramble.lab.tree import remove_folder


def make_disk(lab: LabSpec, host: HostSpec) -> None:
    """Make the host's disk as a freshly written card; what is whole already stays as it is."""
    disk = lab.host_folder(host) / "disk"
    done = lab.host_folder(host) / "disk.whole"
    if done.exists():
        return
    remove_folder(disk)
    (disk / "work").mkdir(parents=True)
    (disk / "upper").mkdir()
    (disk / "upper").chmod(0o755)
    identity.personalise(lab, host, disk / "upper")
    lend_packages(host.release, Path(host.tree), disk / "upper")
    done.touch()


def wipe_disk(lab: LabSpec, host: HostSpec) -> None:
    """Throw away all that was written on a host that is off."""
    (lab.host_folder(host) / "disk.whole").unlink(missing_ok=True)
    remove_folder(lab.host_folder(host) / "disk")
