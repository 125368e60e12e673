"""apt's own commands, run so that nothing is asked, nothing is cut, and others' work is waited for."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Optional, Union

from ...journal import FOLDER
from ...system import Output, System
from . import causes, locks, status

#: An index older than this is refreshed before something is installed: mirrors keep replaced packages for about a day.
STALE = 24 * 3600.0

#: Where apt writes what it is about to install, just before dpkg begins: until then it may be interrupted.
ARRIVING = f"{FOLDER}/packages.arriving"

#: Says no to the start of daemons, but only to those who come by our own apt: left behind by a cut, it is inert.
POLICY = "/usr/sbin/policy-rc.d"
POLICY_TEXT = """#!/bin/sh
# Written by bramble for the time of an installation: daemons are started once they are configured.
# Means nothing to anyone else; it may be deleted.
[ -z "$BRAMBLE_NO_START" ] || exit 101
"""

_OPTIONS = (
    "-y",
    "-q",
    "-o=Dpkg::Use-Pty=0",
    "-o=Dpkg::Options::=--force-confdef",
    "-o=Dpkg::Options::=--force-confold",
    "-o=Acquire::Retries=2",
    "-o=Acquire::http::Timeout=20",
    "-o=Acquire::https::Timeout=20",
)

#: How often a lock that somebody else was quicker to take is waited for again.
TRIES = 5


def _env() -> "dict[str, str]":
    return {
        "DEBIAN_FRONTEND": "noninteractive",
        "DEBIAN_PRIORITY": "critical",
        "APT_LISTCHANGES_FRONTEND": "none",
        # Ubuntu restarts whatever uses a new library, and asks; steps restart what they have to.
        "NEEDRESTART_SUSPEND": "1",
        "UCF_FORCE_CONFFOLD": "1",
        "PATH": os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
    }


def _apt(
    system: System,
    words: "Sequence[str]",
    *,
    env: "Optional[Mapping[str, str]]" = None,
    killable: "Union[bool, Callable[[], bool]]" = True,
) -> Output:
    """Run apt-get; where somebody else takes a lock in between, wait for it and try again."""
    output = Output(-1, "", "")
    for _ in range(TRIES):
        locks.wait(system)
        lock_timeout = f"-o=DPkg::Lock::Timeout={min(60, int(system.time_left(60)))}"
        argv = ["apt-get", *_OPTIONS, lock_timeout, *words]
        output = system.run(argv, env={**_env(), **(env or {})}, killable=killable)
        if not causes.locked(output):
            break
    return output


def repair(system: System) -> bool:
    """Let dpkg finish what was cut; returns whether there was something.

    Raises
    ------
    StepError
        It cannot be finished; says which package is in the way.
    """
    if not status.interrupted(system):
        return False
    locks.wait(system)
    system.progress("finishes an installation that was cut")
    output = system.run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"], env=_env(), killable=False)
    status.forget(system)
    if output.status != 0:
        # What was unpacked without what it depends on is apt's to mend.
        output = _apt(system, ["install", "--fix-broken", "--no-remove"], killable=False)
        status.forget(system)
    if output.status != 0:
        raise causes.explain(system, output, "an installation that was cut cannot be finished")
    return True


def refresh(system: System) -> Output:
    """Fetch the index. A failure is not an error yet: what is needed may be in the part that there is."""
    system.progress("refreshes the index of packages")
    return _apt(system, ["update"])


def index_age(system: System) -> float:
    """Seconds since the index was fetched; infinite if there is none."""
    lists = system.path("/var/lib/apt/lists")
    if not any("_Packages" in name for name in (os.listdir(lists) if os.path.isdir(lists) else ())):
        return float("inf")
    # Files there have the mirror's time; what tells of a fetch are the folders, and a stamp that some systems write.
    marks = [lists, os.path.join(lists, "partial"), system.path("/var/lib/apt/periodic/update-success-stamp")]
    return time.time() - max(os.stat(mark).st_mtime for mark in marks if os.path.exists(mark))


def install(system: System, names: "Sequence[str]", *, recommends: bool, start: bool) -> None:
    """Install packages in one transaction; those that are there already are not touched.

    Raises
    ------
    StepError
        With the cause in a few words, and apt's last lines.
    """
    fetched = None
    if index_age(system) > STALE:
        fetched = refresh(system)
    output = _install(system, names, recommends, start)
    if output.status != 0 and fetched is None and causes.outdated(output):
        fetched = refresh(system)
        output = _install(system, names, recommends, start)
    status.forget(system)
    if output.status == 0:
        return
    if fetched is not None and causes.outdated(output) and ("W: " in fetched.stderr or fetched.status != 0):
        # Without a fresh index, a package that is not known says nothing; the reason is why there is none.
        output = Output(output.status, f"{fetched.stdout}\n{output.stdout}", f"{fetched.stderr}\n{output.stderr}")
    raise causes.explain(system, output, f"{', '.join(names)} could not be installed")


def newer(system: System) -> "list[str]":
    """Packages that an upgrade would bring, by the index that is there."""
    output = system.must(["apt-get", *_OPTIONS, "--simulate", "dist-upgrade"], "apt could not look for upgrades")
    return re.findall(r"^Inst (\S+)", output.stdout, re.MULTILINE)


def upgrade(system: System) -> "list[str]":
    """Bring all packages to their latest version; returns their names.

    Raises
    ------
    StepError
        With the cause in a few words, and apt's last lines.
    """
    repair(system)
    if index_age(system) > STALE:
        fetched = refresh(system)
        if fetched.status != 0:
            raise causes.explain(system, fetched, "the archive could not be asked for newer packages")
    names = newer(system)
    if names:
        system.progress(f"upgrades {len(names)} packages")
        output = _apt(system, ["dist-upgrade"], killable=False)
        status.forget(system)
        if output.status != 0:
            raise causes.explain(system, output, "the packages could not be upgraded")
    return names


def _install(system: System, names: "Sequence[str]", recommends: bool, start: bool) -> Output:
    announced = system.path(ARRIVING)
    forget_arriving(system)
    words = [
        "install",
        "--no-remove",
        f"-o=APT::Install-Recommends={'true' if recommends else 'false'}",
        f"-o=DPkg::Pre-Install-Pkgs::=cat > {ARRIVING} && sync {ARRIVING}",
        "-o=DPkg::Tools::Options::cat::Version=2",
        *names,
    ]
    system.progress(f"installs {', '.join(names)}")
    held_back = not start and _forbid_start(system)
    try:
        return _apt(
            system,
            words,
            env={} if start else {"BRAMBLE_NO_START": "1"},
            killable=lambda: not os.path.exists(announced),
        )
    finally:
        if held_back:
            os.unlink(system.path(POLICY))


def _forbid_start(system: System) -> bool:
    """Put the policy in place, unless the host has one of its own, which then decides."""
    path = system.path(POLICY)
    if os.path.exists(path):
        with open(path) as file:
            return file.read() == POLICY_TEXT
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o755)
    with os.fdopen(handle, "w") as file:
        file.write(POLICY_TEXT)
    return True


def arriving(system: System) -> "dict[str, tuple[str, str]]":
    """What apt said it was about to install, each with its version then (``-`` for none) and the new one.

    Not all of it need have arrived.
    """
    try:
        with open(system.path(ARRIVING)) as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    # Version 2 of apt's protocol: a copy of its configuration, an empty line, then "name old < new file".
    found = re.findall(r"^(\S+) (\S+) < (\S+) \S+", text.partition("\n\n")[2], re.MULTILINE)
    return {name.split(":")[0]: (old, new) for name, old, new in found}


def forget_arriving(system: System) -> None:
    """Take away what apt wrote about an earlier transaction."""
    if os.path.exists(system.path(ARRIVING)):
        os.unlink(system.path(ARRIVING))


def removes(system: System, names: "Iterable[str]") -> "set[str]":
    """All that apt would remove along with ``names``, themselves included."""
    output = _apt(system, ["purge", "--simulate", *sorted(names)])
    if output.status != 0:
        raise causes.explain(system, output, f"{', '.join(sorted(names))} cannot be removed")
    return {name.split(":")[0] for name in re.findall(r"^(?:Remv|Purg) (\S+)", output.stdout, re.MULTILINE)}


def purge(system: System, names: "Iterable[str]", *, keep_configuration: "Iterable[str]" = ()) -> None:
    """Remove packages with their configuration; of ``keep_configuration`` only the rest.

    Raises
    ------
    StepError
        With the cause in a few words, and apt's last lines.
    """
    wanted = sorted(names)
    kept = sorted(set(keep_configuration) & set(wanted))
    system.progress(f"removes {', '.join(wanted)}")
    for verb, some in (("remove", kept), ("purge", sorted(set(wanted) - set(kept)))):
        if not some:
            continue
        output = _apt(system, [verb, *some], killable=False)
        status.forget(system)
        if output.status != 0:
            raise causes.explain(system, output, f"{', '.join(some)} could not be removed")


def mark_manual(system: System, names: "Iterable[str]") -> None:
    """Let apt know that somebody asked for these packages."""
    system.must(["apt-mark", "manual", *sorted(names)], "apt could not mark packages as asked for")


def mark_automatic(system: System, names: "Iterable[str]") -> None:
    """Let apt forget that somebody asked for these packages: they go when what needs them goes."""
    system.must(["apt-mark", "auto", *sorted(names)], "apt could not mark packages as no longer asked for")
