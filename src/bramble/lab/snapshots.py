"""Everything on a host that matters for "the host is as it was found", and how two such states differ.

Strict on purpose: only what changes by itself is left out, each with its reason in :data:`LEFT_OUT`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from bramble.lab import inside, power
from bramble.lab.process import run
from bramble.lab.requirements import require
from bramble.lab.state import HostSpec, LabSpec, existing

#: Section ("files", "packages", ...) -> name -> what is there, in words that can be compared.
Snapshot = dict[str, dict[str, str]]

#: Paths that change by themselves (regular expressions for the whole path), and why.
LEFT_OUT = {
    r"/(proc|sys|dev|run|tmp)/.*": "the kernel's and the running system's, gone with a reboot",
    r"/var/tmp/systemd-private-[^/]*": "made and removed by systemd with each start of a unit",  # noqa: S108
    r"/var/log/.*": "what happened stays written down: history is not rewritten",
    r"/var/cache/(apt|debconf|ldconfig)/.*": "caches that apt, debconf and ldconfig write anew by themselves",
    r"/var/lib/apt/(lists|periodic)/.*": "the archive's index, as fresh as the last update",
    r"/var/lib/apt/extended_states": "compared as its meaning: section `packages`",
    r"/var/lib/dpkg/(status|available)": "compared as its meaning: section `packages`",
    r"/var/lib/dpkg/(status|available|diversions|statoverride)-old": "backups of the last change",
    r"/var/lib/dpkg/(lock|lock-frontend|triggers/Lock|triggers/Unincorp)": "locks, and a queue that is empty at rest",
    r"/var/backups/.*": "daily copies of dpkg's state",
    r"/var/lib/systemd/timers/.*": "when timers last ran",
    r"/var/lib/systemd/(random-seed|catalog/database)": "entropy, and an index made from installed files",
    r"/var/lib/sudo/lectured/.*": "who has seen sudo's first warning",
    r"/etc/(passwd|group|shadow|gshadow|subuid|subgid)-": "backups of the last change",
    r"/etc/(passwd|group|shadow|gshadow|subuid|subgid)\.\d+": "a change that a power cut ended; the next one tidies up",
    r"/var/lib/ucf/\w+\.\d+": "backups of the last changes to ucf's registry, which is compared itself",
    r"/etc/ld\.so\.cache": "made from the installed libraries",
    r".*/__pycache__": "made by Python from the files beside it",
}
_LEFT_OUT = re.compile("|".join(f"(?:{pattern})" for pattern in LEFT_OUT))
# Processes that come and go with logins and socket activation, on a host that nobody touches.
_PASSING = re.compile(r"sshd|\(sd-pam\)|systemd$|systemd-\w+|\(.*\)|agetty|dbus-daemon")
# Seconds after which a process is there to stay, and those within which all should be: on a busy machine, what a login
# runs is there for a moment, too.
_STAYS, _PATIENCE = 3.0, 15.0
_CHUNK = 1 << 20
# A file's digest by what changes when its content does; base trees are the same for every host and snapshot.
_digests: dict[tuple[int, int, int, int, int], str] = {}


def snapshot(name: str, host: str) -> Snapshot:
    """The state of a running host.

    Parameters
    ----------
    name, host
        Of the lab and the host.

    Returns
    -------
    Snapshot
        Plain JSON values: ``files`` (all of ``/`` but :data:`LEFT_OUT`: kind, mode, owner, content's digest),
        ``packages`` (version, state, whether asked for), ``units`` (that run, are enabled, or failed), ``processes``,
        ``sockets`` (listening), ``network`` (interfaces, routes, firewall rules), ``settings`` (of /proc/sys/net),
        ``mounts``.

    Raises
    ------
    HostError
        The host is switched off.
    """
    require()
    lab = existing(name)
    spec = lab.host(host)
    leader = power.leader(lab, spec)
    return {
        "files": dict(_files(Path(f"/proc/{leader}/root"))),
        "packages": _packages(name, host),
        "units": _units(name, host),
        "processes": _processes(lab, spec),
        **_network(leader),
        "mounts": _mounts(leader),
    }


def diff_snapshots(before: Snapshot, after: Snapshot) -> list[str]:
    """How two states differ, one line each; an empty list when they do not."""
    lines = []
    for section in sorted(before.keys() | after.keys()):
        old, new = before.get(section, {}), after.get(section, {})
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                lines.append(f"{section}: {key}: gone (was {old[key]})")
            elif key not in old:
                lines.append(f"{section}: {key}: new ({new[key]})")
            elif old[key] != new[key]:
                lines.append(f"{section}: {key}: {old[key]} -> {new[key]}")
    return lines


def _files(root: Path) -> Iterator[tuple[str, str]]:
    pending = [""]
    while pending:
        folder = pending.pop()
        for entry in os.scandir(f"{root}{folder}/"):
            path = f"{folder}/{entry.name}"
            if _LEFT_OUT.fullmatch(path):
                continue
            try:
                state = entry.stat(follow_symlinks=False)
                yield path, _describe(entry.path, state)
            except FileNotFoundError:
                continue  # it went while we looked: the same as never having been there
            if stat.S_ISDIR(state.st_mode):
                pending.append(path)


def _describe(path: str, state: os.stat_result) -> str:
    text = f"{stat.filemode(state.st_mode)} {state.st_uid}:{state.st_gid}"
    if stat.S_ISLNK(state.st_mode):
        return f"{text} -> {os.readlink(path)}"
    if stat.S_ISREG(state.st_mode):
        return f"{text} {_digest(path, state)}"
    if stat.S_ISBLK(state.st_mode) or stat.S_ISCHR(state.st_mode):
        return f"{text} {os.major(state.st_rdev)}:{os.minor(state.st_rdev)}"
    return text


def _digest(path: str, state: os.stat_result) -> str:
    key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    if key not in _digests:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        _digests[key] = digest.hexdigest()
    return _digests[key]


def _packages(name: str, host: str) -> dict[str, str]:
    form = "${binary:Package}\\t${Version} ${db:Status-Status}\\n"
    listing = inside.execute(name, host, ["dpkg-query", "--show", f"--showformat={form}"]).stdout
    packages = dict(line.split("\t") for line in listing.splitlines())
    for package in inside.execute(name, host, ["apt-mark", "showauto"]).stdout.split():
        if package in packages:
            packages[package] += " automatic"
    for line in inside.execute(name, host, ["apt-mark", "showhold"]).stdout.split():
        packages[line] += " held"
    return packages


def _units(name: str, host: str) -> dict[str, str]:
    ask = ["systemctl", "--no-legend", "--plain", "--full", "--no-pager"]
    units: dict[str, str] = {}
    for line in inside.execute(name, host, [*ask, "list-unit-files"]).stdout.splitlines():
        unit, state = line.split()[:2]
        # A generated or transient unit is no file of anybody's; what it runs is seen below.
        if state not in ("generated", "transient"):
            units[unit] = state
    # Targets are left out: systemd keeps one that something once wanted, until the next boot.
    kinds = "--type=service,socket,timer,path,mount,swap"
    for line in inside.execute(name, host, [*ask, "list-units", "--all", kinds]).stdout.splitlines():
        unit, load, active = line.split()[:3]
        if active in ("active", "failed") and not re.match(r"(user@|user-runtime-dir@|run-|session-)", unit):
            units[unit] = f"{units.get(unit, load)} {active}"
    return units


def _processes(lab: LabSpec, host: HostSpec) -> dict[str, str]:
    """Those that are there to stay: what has just begun is waited for, until it has ended or is of age."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        found: dict[str, str] = {}
        youngest = _STAYS
        for pid in power.host_groups(lab, host).pids():
            try:
                status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
                age = _age(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            nested = len(status["NSpid"].split()) > 1
            if nested and not _PASSING.match(status["Name"]):
                found[f"{status['Name']} of user {status['Uid'].split()[0]}"] = "runs"
                youngest = min(youngest, age)
        if youngest >= _STAYS or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def _age(pid: int) -> float:
    """Seconds since a process began."""
    began = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return float(Path("/proc/uptime").read_text().split()[0]) - began / os.sysconf("SC_CLK_TCK")


def _network(leader: int) -> dict[str, dict[str, str]]:
    """What belongs to a host's network: interfaces, routes, firewall; listening sockets; settings of /proc/sys/net."""
    enter = ["nsenter", f"--target={leader}", "--net"]
    what = "looking at the host's network"
    network: dict[str, str] = {}
    for link in json.loads(run([*enter, "ip", "-json", "address"], what=what)):
        addresses = [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]]
        network[f"interface {link['ifname']}"] = " ".join([link["operstate"], *addresses])
    for family in ("-4", "-6"):
        for route in run([*enter, "ip", family, "route", "show", "table", "all"], what=what).splitlines():
            if route.startswith("local fe80:"):
                continue  # the kernel's own, a second or so after the boot, once it knows that nobody has the address
            network[f"route {re.sub(r' expires .*', '', route).strip()}"] = "set"
    rules = run([*enter, "nft", "--stateless", "list", "ruleset"], what=what, check=False)
    network["firewall"] = rules.strip() or "empty"
    sockets = {}
    for line in run(
        [*enter, "ss", "--no-header", "--listening", "--tcp", "--udp", "--numeric"], what=what
    ).splitlines():
        kind, _, _, _, local = line.split()[:5]
        # Ports above are chosen by chance (mDNS answers, for one).
        if int(local.rpartition(":")[2]) < 32768:
            sockets[f"{kind} {local}"] = "listens"
    return {"network": network, "sockets": sockets, "settings": _settings(enter)}


def _settings(enter: list[str]) -> dict[str, str]:
    """Values of /proc/sys/net; files that count or list something are no settings, and cannot be written."""
    script = "find /proc/sys/net -type f -perm -200 -exec grep -H '' {} +"
    lines = run([*enter, "sh", "-c", script], what="reading the host's network settings", check=False).splitlines()
    found: dict[str, str] = {}
    for line in lines:
        path, _, value = line.partition(":")
        key = path.removeprefix("/proc/sys/").replace("/", ".")
        found[key] = f"{found[key]} {value}" if key in found else value
    return found


def _mounts(leader: int) -> dict[str, str]:
    """Mount points and their kinds; credentials of units come and go with the units."""
    found = {}
    for line in Path(f"/proc/{leader}/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        point = fields.split()[4]
        if not re.match(r"/run/(credentials|user)/", point):
            found[point] = kind.split()[0]
    return found
