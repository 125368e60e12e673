"""The one process that stands behind a lab host: it boots it, boots it again when it reboots, and clears up.

It runs in a mount namespace of its own. The host's disk and its pinned network live in there, so when the last process
of a host is gone the kernel itself takes them away, however they ended. The host's groups hold it too.

Started as ``python -m bramble.lab.supervisor LAB HOST`` by :mod:`bramble.lab.power`.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

from bramble.errors import BrambleError, HostError
from bramble.lab import disks, network
from bramble.lab.cgroups import Groups, from_systemd, plain_unified
from bramble.lab.power import host_groups, note_groups, own_groups
from bramble.lab.process import ProcessId, clean_environment, run
from bramble.lab.state import HostSpec, LabSpec, load, locked

#: systemd-nspawn's exit status when its payload asked for a reboot (EXIT_FORCE_RESTART).
_REBOOT = 133
#: nspawn leaves locks and a folder a host there when it is killed.
_NOTES = Path("/run/systemd/nspawn")
_DROPPED = "CAP_SYS_TIME,CAP_SYS_MODULE"
#: What container engines need besides: keyrings of their own for each container, and FUSE.
_FOR_CONTAINERS = ("--system-call-filter=@keyring bpf", "--bind=/dev/fuse")
_GIVE_CONTROLLERS = """
while read -r _ at kind _; do
    if [ "$kind" = cgroup ]; then mount -o remount,bind,rw "$at"; fi
done </proc/mounts"""
#: What a kubelet insists on, and would write: these are the machine's own, so it finds them as it wants them.
_KERNEL = {
    "kernel/keys/root_maxbytes": "25000000",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/overcommit_memory": "1",
}


def main(lab_name: str, host_name: str) -> int:
    """Run one host until it is switched off; 0 after an orderly power-off."""
    lab = load(lab_name)
    if lab is None:
        return 0  # taken down while we were starting
    host = lab.host(host_name)
    folder = lab.host_folder(host)
    # Not at once: whoever looks whether the lock is held holds it for an instant.
    with locked(folder / "supervisor.lock", busy=f"{host.name} has a supervisor already", seconds=2):
        groups = _enter_groups(lab, host)
        _mount_disk(lab, host)
        for number in itertools.count():
            code = _boot(lab, host, groups, groups.stall(number))
            if code != _REBOOT:
                network.unplug(lab, host)
                return code
    return 0


def _enter_groups(lab: LabSpec, host: HostSpec) -> Groups:
    """Go to where the host's groups are: into those made for it, or stay in the unit that systemd made."""
    if from_systemd():
        groups = own_groups()
        note_groups(lab, host, groups)
    else:
        groups = host_groups(lab, host)
        if not groups.folders:
            raise HostError("it was switched off while it was starting", host=host.name)
        groups.join()
    return groups


def _mount_disk(lab: LabSpec, host: HostSpec) -> None:
    """Lay the host's own disk over its base tree; and what nspawn notes in /run is ours alone, and goes with us."""
    _NOTES.mkdir(parents=True, exist_ok=True)
    run(["mount", "-t", "tmpfs", "-o", "mode=0755", "lab-notes", _NOTES], what="hiding nspawn's notes")
    root = lab.host_folder(host) / "root"
    root.mkdir(exist_ok=True)
    run([*disks.root_mount(lab, host), root], what="mounting the host's disk")


def _boot(lab: LabSpec, host: HostSpec, groups: Groups, stall: Path | None) -> int:
    """One boot of the host, from its first process to its last; returns nspawn's exit status."""
    folder = lab.host_folder(host)
    network.plug(lab, host, folder / "network")
    argv = [
        *(["sh", "-ec", 'echo $$ > "$0/cgroup.procs"; exec "$@"', str(stall)] if stall else []),
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        f"--directory={folder / 'root'}",
        f"--machine={host.name}",
        f"--hostname={host.name}",
        f"--network-namespace-path={folder / 'network'}",
        "--console=read-only",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--capability=CAP_NET_ADMIN",
        f"--drop-capability={_DROPPED}",
        "--kill-signal=SIGRTMIN+3",
        *(_FOR_CONTAINERS if host.containers else ()),
        *(f"--bind={place}/content:{path}" for path, place in disks.small_disks(lab, host).items() if path != "/"),
        *("/bin/sh", "-c", _furnishing(host), "init"),
        # The console is where one looks when a host does not come up.
        "systemd.show_status=yes",
    ]
    # The network's settings below /proc/sys/net are the host's own; the rest of /proc/sys is the machine's.
    environment = clean_environment({"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"})
    code = subprocess.Popen(argv, stdin=subprocess.DEVNULL, env=environment).wait()
    if stall:
        rest = Groups((stall,))
        rest.kill()
        rest.remove()
    else:
        _kill_rest(groups)
    return code


def _furnishing(host: HostSpec) -> str:
    """A script that gives the host's root what root of a real Pi has, and becomes the host's init.

    nspawn mounts the v1 controllers read-only; below its own groups, the host may write them. That must be so before
    systemd looks which there are: it would take up some of them, and clear away what a kubelet makes in these.
    """
    words = [] if plain_unified() else [_GIVE_CONTROLLERS]
    if host.containers:
        # A kubelet reads the kernel's log, which is the machine's: it finds an empty one, a node of the host's own.
        words.append("mknod -m 0644 /dev/kmsg c 1 3; mount --make-rshared /; mkdir -p /run/kernel")
        words += [
            f"echo {value} >/run/kernel/{Path(name).name}; mount --bind /run/kernel/{Path(name).name} /proc/sys/{name}"
            for name, value in _KERNEL.items()
        ]
    return "\n".join([*words, 'exec /lib/systemd/systemd "$@"'])


def _kill_rest(groups: Groups) -> None:
    """End what nspawn left behind, if it died before its payload did."""
    for pid in groups.pids() - {os.getpid()}:
        try:
            ProcessId.of(pid).kill()
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except BrambleError as error:
        # Onto the console, where whoever waits for the host finds it.
        sys.exit(str(error))
