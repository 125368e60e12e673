"""A host's power: on, off as by pulling the plug, and what it is doing."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import bramble
from bramble.errors import HostError
from bramble.lab import network
from bramble.lab.cgroups import Groups, from_systemd, hierarchies
from bramble.lab.process import clean_environment, last_lines, run
from bramble.lab.state import HostSpec, LabSpec

#: Seconds after which a supervisor that nobody has seen is taken for one that died at once; a busy machine needs some.
_SUPERVISOR_STARTS = 20.0


def groups_name(lab: LabSpec, host: HostSpec) -> str:
    """Name of the host's groups, and of its unit where the machine's systemd makes them."""
    return f"bramble-lab-{lab.ident}-{host.name}"


def own_groups() -> Groups:
    """The groups that the calling process is in."""
    return Groups(tuple(tree.own for tree in hierarchies()))


def note_groups(lab: LabSpec, host: HostSpec, groups: Groups) -> None:
    """Write down where a host's groups are, so that nobody has to search all groups of the machine for them."""
    (lab.host_folder(host) / "groups").write_text("".join(f"{folder}\n" for folder in groups.folders))


def host_groups(lab: LabSpec, host: HostSpec) -> Groups:
    """The groups of a host, as far as they are there."""
    try:
        folders = [Path(line) for line in (lab.host_folder(host) / "groups").read_text().splitlines()]
    except FileNotFoundError:
        return Groups(())
    return Groups(tuple(folder for folder in folders if folder.is_dir()))


def find_leader(groups: Groups) -> int | None:
    """The pid, as this machine counts, of the host's own process 1."""
    for pid in sorted(groups.pids()):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for line in status.splitlines():
            # Two numbers: one namespace below ours. Containers within the host have three.
            if line.startswith("NSpid:") and line.split()[2:] == ["1"]:
                return pid
    return None


def leader(lab: LabSpec, host: HostSpec) -> int:
    """The host's process 1; ``HostError`` when it is off."""
    found = find_leader(host_groups(lab, host))
    if found is None:
        raise HostError("the host is switched off", host=host.name, hint=f"bramble lab start {host.name}")
    return found


def entrance(pid: int, *namespaces: str) -> list[str]:
    """The words that put a command into a host: its namespaces, its groups, and no more power than its root has.

    Namespaces alone would leave a command all of the machine's might: it could set the clock for everybody, load
    modules, or write to the machine's disks.

    Parameters
    ----------
    pid
        The host's process 1.
    namespaces
        nsenter's options; by default all of the host's namespaces, from its root folder.

    Raises
    ------
    HostError
        The host has just gone off.
    """
    try:
        status, trees = Path(f"/proc/{pid}/status").read_text(), hierarchies(pid)
    except (FileNotFoundError, ProcessLookupError) as error:
        raise HostError("the host has just gone off", why=f"its process {pid} is no more") from error
    bound = int(status.partition("CapBnd:")[2].split()[0], 16)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    denied = ",".join(f"-cap_{number}" for number in range(last + 1) if not bound >> number & 1)
    return [
        *("sh", "-ec", 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"', "sh"),
        *(str(tree.own / "cgroup.procs") for tree in trees),
        *("--", "setpriv", f"--bounding-set={denied}", "--inh-caps=-all", "--ambient-caps=-all"),
        *("nsenter", f"--target={pid}", *(namespaces or ("--all", "--root", "--wd"))),
    ]


def supervised(lab: LabSpec, host: HostSpec) -> bool:
    """Whether the host has a living supervisor."""
    try:
        with (lab.host_folder(host) / "supervisor.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


def switch_on(lab: LabSpec, host: HostSpec) -> None:
    """Start the host's supervisor, which boots the host. Returns at once; see :func:`wait_ready`."""
    folder = lab.host_folder(host)
    if not Path(host.tree).is_dir():
        raise HostError(
            "its base tree is gone", host=host.name, why=host.tree, hint=f"bramble lab down --name {lab.name}"
        )
    package = str(Path(bramble.__path__[0]).parent)
    module = [sys.executable, "-P", "-m", "bramble.lab.supervisor", lab.name, host.name]
    argv = ["unshare", "--mount", "--propagation=slave", *module]
    # The supervisor must find the same labs and the same code as we do, and gets nothing else of our environment.
    kept = {key: value for key, value in os.environ.items() if key.startswith("XDG_") or key == "HOME"}
    environment = clean_environment({**kept, "PYTHONPATH": package})
    if from_systemd():
        argv = [*_unit(lab, host, environment), *argv]
    else:
        groups = Groups.make(groups_name(lab, host), every_device=host.containers)
        note_groups(lab, host, groups)
        groups.limit(host.memory, host.cpus)
        argv = ["setsid", "--fork", *argv]
    with (folder / "console.log").open("w") as console:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environment, cwd="/", check=False
        )
    if done.returncode != 0:
        raise HostError("the host cannot be started", host=host.name, why=console_tail(lab, host))


def _unit(lab: LabSpec, host: HostSpec, environment: dict[str, str]) -> list[str]:
    """Ask the machine's systemd for a unit with groups delegated to it: the only lawful way on unified groups."""
    console = lab.host_folder(host) / "console.log"
    settings = [
        "Delegate=yes",
        "KillMode=control-group",
        "TasksMax=infinity",
        # As the rules for version 1 groups: terminals, tun and fuse, but not the machine's disks.
        "DevicePolicy=closed",
        *(f"DeviceAllow={device} rwm" for device in ("char-pts", "/dev/net/tun", "/dev/fuse")),
        f"StandardOutput=append:{console}",
        f"StandardError=append:{console}",
        *([f"MemoryMax={host.memory}"] if host.memory is not None else []),
        *([f"CPUQuota={host.cpus * 100:.0f}%"] if host.cpus is not None else []),
    ]
    return [
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={groups_name(lab, host)}",
        *(f"--property={setting}" for setting in settings),
        *(f"--setenv={key}={value}" for key, value in environment.items()),
    ]


def switch_off(lab: LabSpec, host: HostSpec) -> None:
    """Pull the plug: every process of the host and its supervisor die at once. Nothing happens when it is off."""
    name = groups_name(lab, host)
    # Searched for, not read from the note: a start that was killed may not have written it.
    groups = Groups.find({name, f"{name}.service"})
    groups.kill()
    if from_systemd() and groups.folders:
        # The unit's name is free again only when systemd has seen it end.
        run(["systemctl", "stop", f"{name}.service"], what="ending the host's unit", check=False)
    network.unplug(lab, host)
    groups.remove()


def sweep(lab: LabSpec) -> None:
    """Switch off whatever still carries this lab's name, known to it or not."""
    groups = Groups.find_prefix(f"bramble-lab-{lab.ident}-")
    groups.kill()
    groups.remove()


def wait_ready(lab: LabSpec, host: HostSpec, seconds: float, stop: Event) -> None:
    """Wait until sshd answers and systemd has started all it wanted to, or until `stop` is set.

    Raises
    ------
    HostError
        It did not come up in time, or went off again; ``why`` holds the end of its console.
    """
    started = time.monotonic()
    begun = False
    while True:
        doing = _doing(lab, host)
        if doing == "ready":
            return
        waited = time.monotonic() - started
        if supervised(lab, host):
            begun = True
        elif begun or waited > _SUPERVISOR_STARTS:
            raise HostError("the host went off while it was starting", host=host.name, why=console_tail(lab, host))
        if waited > seconds:
            raise HostError(
                f"the host did not come up within {seconds:.0f} s ({doing})",
                host=host.name,
                why=console_tail(lab, host),
            )
        if stop.wait(0.05):
            return


def _doing(lab: LabSpec, host: HostSpec) -> str:
    """How far a host has come: ``ready``, or what is still missing."""
    pid = find_leader(host_groups(lab, host))
    if pid is None:
        return "no process yet"
    if not _answers(str(lab.address(host))):
        return "sshd does not answer"
    state = run([*entrance(pid), "systemctl", "is-system-running"], what="asking systemd", check=False).strip()
    return "ready" if state in ("running", "degraded") else f"systemd is {state or 'not there'}"


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=5.0) as connection:
            connection.settimeout(5.0)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def console_tail(lab: LabSpec, host: HostSpec) -> str:
    """The last lines that the host, or its supervisor, wrote to the console."""
    try:
        return (
            last_lines((lab.host_folder(host) / "console.log").read_text(errors="replace"), 12)
            or "the console is empty"
        )
    except FileNotFoundError:
        return "there is no console log"


def require_on(lab: LabSpec, host: HostSpec) -> Groups:
    """The groups of a host that is on; ``HostError`` otherwise."""
    groups = host_groups(lab, host)
    if find_leader(groups) is None:
        raise HostError("the host is switched off", host=host.name, hint=f"bramble lab start {host.name}")
    return groups
