"""Which Slurm a system release brings, what that Slurm can do, and which versions understand each other."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import PlanError
from ...runner.facts import Facts

#: Slurm's major versions in order of appearance. Source: the project's release notes.
VERSIONS = ("20.11", "21.08", "22.05", "23.02", "23.11", "24.05", "24.11", "25.05", "25.11")

#: Code name → the version in its archive. Source: the archives' own package lists (``apt-cache policy slurmctld``).
ARCHIVES = {
    "bullseye": "20.11",
    "bookworm": "22.05",
    "trixie": "24.11",
    "jammy": "21.08",
    "noble": "23.11",
}


def version_of(facts: Facts) -> str:
    """The Slurm version a host has, or would get: ``22.05``; empty if that is not known."""
    for package in ("slurmd", "slurmctld"):
        if package in facts.packages:
            # Debian's 22.05.8-4+deb12u3: the first two numbers name the version.
            return ".".join(facts.packages[package].split(":")[-1].split(".")[:2])
    return ARCHIVES.get(facts.codename, "")


def at_least(version: str, wanted: str) -> bool:
    """Whether a version is this one or a later one. A version that is not known counts as the newest."""
    return not version or _number(version) >= _number(wanted)


def understands(controller: str, node: str) -> bool:
    """Whether a controller of one version can command nodes of another.

    A controller understands its own version and older ones: the two before it, from 24.11 on the three before it.
    Source: Slurm's upgrade guide.
    """
    if controller == node:
        return True
    if controller not in VERSIONS or node not in VERSIONS:
        return False
    behind = VERSIONS.index(controller) - VERSIONS.index(node)
    return 0 < behind <= (3 if at_least(controller, "24.11") else 2)


def refuse_strangers(manager: str, hosts: Sequence[str], facts: dict[str, Facts]) -> None:
    """Refuse hosts whose Slurm the manager's cannot talk to.

    Raises
    ------
    PlanError
        Names all of them.
    """
    controller = version_of(facts[manager])
    strangers = [host for host in hosts if not understands(controller, version_of(facts[host]))]
    if not strangers:
        return

    def described(host: str) -> str:
        found = facts[host]
        return f"{host} has Slurm {version_of(found) or '?'} ({found.codename or found.os})"

    raise PlanError(
        f"these hosts cannot form one cluster: {', '.join(described(host) for host in (manager, *strangers))}",
        why=f"Slurm {controller or '?'} on the manager talks to its own version and the few before it",
        hint="deploy on hosts of one system release, or make the host with the newest one the manager: --manager",
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
