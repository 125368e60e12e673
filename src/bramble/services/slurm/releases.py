"""Which Slurm a system release brings, what that Slurm can do, and which versions understand each other."""

from __future__ import annotations

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


#: How many versions before its own a controller understands: whether it is 24.11 or later → their number.
#: Source: Slurm's guide to upgrades.
REACH = {False: 2, True: 3}


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
    """Whether a controller of one version can command nodes of another. What is no known version only equals itself."""
    if controller == node:
        return True
    if controller not in VERSIONS or node not in VERSIONS:
        return False
    behind = VERSIONS.index(controller) - VERSIONS.index(node)
    return 0 < behind <= REACH[at_least(controller, "24.11")]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
