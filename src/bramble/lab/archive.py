"""The package archive of this machine, as its own apt knows it: sources for any release, and how to reach them.

Nothing here names a mirror: hosts of the lab use what the machine uses.
"""

from __future__ import annotations

import os
import platform
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from bramble.errors import UsageError
from bramble.lab.process import run

#: What a derived host needs of the machine's apt settings; everything else (hooks, caches) is the machine's own affair.
_CARRIED = re.compile(
    r"Acquire::(http|https|ftp)::(Proxy|Verify-|CaInfo|CAInfo|CaPath|Timeout|User-Agent)"
    r"|Acquire::(Check-Valid-Until|Check-Date|ForceIPv4|ForceIPv6|Retries)\b",
    re.IGNORECASE,
)
_FORMAT = "$(REPO_URI)|$(CODENAME)|$(RELEASE)|$(COMPONENT)"
_KEYRINGS = {
    "debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
_EXAMPLES = {"debian": "bullseye, bookworm, trixie", "ubuntu": "jammy, noble"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """One line of ``sources.list``: an archive, a suite of it, and its components."""

    uri: str
    suite: str
    components: tuple[str, ...]

    def line(self) -> str:
        """The line as apt reads it."""
        return f"deb {self.uri} {self.suite} {' '.join(self.components)}"


@dataclass(frozen=True, kw_only=True)
class Release:
    """Where a release is to be had: the base suite first, then its updates. ``family`` is ``debian`` or ``ubuntu``."""

    name: str
    family: str
    sources: tuple[Source, ...]
    keyring: str


def machine_release() -> tuple[str, str]:
    """Family (``debian``, ``ubuntu``) and code name of this machine's own system.

    Raises
    ------
    UsageError
        It is neither Debian nor Ubuntu, nor made from one of them.
    """
    try:
        facts = platform.freedesktop_os_release()
    except OSError:
        facts = {}
    families = [facts.get("ID", ""), *facts.get("ID_LIKE", "").split()]
    for family in families:
        if family in _KEYRINGS:
            # Linux Mint and others name their own release first, and the one they are made from second.
            return family, facts.get("UBUNTU_CODENAME") or facts.get("DEBIAN_CODENAME") or facts.get(
                "VERSION_CODENAME", ""
            )
    raise UsageError("the lab needs Debian or Ubuntu", why=f"this is {facts.get('PRETTY_NAME', 'an unknown system')}")


def candidate(name: str) -> Release:
    """Where a release should be, derived from the sources this machine uses for its own. Nothing is asked for yet.

    Parameters
    ----------
    name
        Code name, e.g. ``bookworm``, ``trixie``, ``noble``.

    Raises
    ------
    UsageError
        The name is no code name, or this machine has no sources to derive from.
    """
    if not re.fullmatch(r"[a-z]{3,20}", name):
        raise UsageError(f"{name!r} is no release", hint="a code name such as bookworm, trixie, noble")
    family, own = machine_release()
    return Release(name=name, family=family, sources=_derived(own, name), keyring=_KEYRINGS[family])


def available(release: Release) -> Release:
    """The same release with only those suites that the archive really has (one that is old loses its updates first).

    Raises
    ------
    UsageError
        The archive does not have the release at all, or the keys to check it are not here.
    """
    found = tuple(source for source in release.sources if _has(source))
    if not found or found[0].suite != release.name:
        raise UsageError(
            f"release {release.name} is not to be had from this machine's package archive",
            why=f"apt's own sources were asked for the suite {release.name} and do not have it, or did not answer",
            hint=f"try: {_EXAMPLES[release.family]}; and see whether this works: apt-get update",
        )
    if not Path(release.keyring).exists():
        raise UsageError(f"{release.keyring} is missing", hint=f"apt-get install {release.family}-archive-keyring")
    return replace(release, sources=found)


def _derived(own: str, wanted: str) -> tuple[Source, ...]:
    """The machine's own sources with the release's name in place of the machine's; the base suite first."""
    listing = run(
        ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"],
        what="reading this machine's apt sources",
    )
    components: dict[tuple[str, str], list[str]] = {}
    for line in listing.splitlines():
        uri, codename, release, component = line.split("|")
        for suite in (codename, release):
            if suite == own or suite.startswith(f"{own}-"):
                key = (uri, wanted + suite.removeprefix(own))
                if component not in components.setdefault(key, []):
                    components[key].append(component)
                break
    if not components:
        raise UsageError(f"apt on this machine knows no source for {own}", hint="apt-get update")
    order = sorted(components, key=lambda key: (key[1] != wanted, key[1]))
    return tuple(Source(uri=uri, suite=suite, components=tuple(components[uri, suite])) for uri, suite in order)


def _has(source: Source) -> bool:
    """Whether the archive has this suite, asked by apt's own means: with the machine's proxy, keys and passwords."""
    helper = "/usr/lib/apt/apt-helper"
    with tempfile.TemporaryDirectory(prefix="bramble-") as folder:
        target = Path(folder, "Release")
        url = f"{source.uri.rstrip('/')}/dists/{source.suite}/Release"
        run([helper, "download-file", url, target], what=f"asking for {source.suite}", check=False, timeout=120)
        return target.exists()


def apt_settings() -> str:
    """The machine's settings for reaching its archive (proxy, certificates, checks), as an apt.conf for the hosts."""
    dump = run(["apt-config", "dump"], what="reading this machine's apt settings")
    lines = [line for line in dump.splitlines() if _CARRIED.match(line) and not line.rstrip().endswith(' "";')]
    for scheme, proxy in _proxies().items():
        # apt itself prefers its own setting to the environment's.
        if not any(line.lower().startswith(f"acquire::{scheme}::proxy ") for line in lines):
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return "\n".join(["// Taken over from the machine that this lab runs on.", *sorted(lines), ""])


def proxy_environment() -> dict[str, str]:
    """Proxy variables for programs that do not read apt's settings, as debootstrap does not."""
    settings = {
        match[1].lower(): match[2]
        for match in re.finditer(r'^Acquire::(https?)::Proxy "([^"]+)";$', apt_settings(), re.IGNORECASE | re.MULTILINE)
        if match[2].upper() != "DIRECT"
    }
    return {f"{scheme}_proxy": proxy for scheme, proxy in settings.items()}


def _proxies() -> dict[str, str]:
    """Proxies that the caller's environment names, by scheme."""
    found = {scheme: os.environ.get(f"{scheme}_proxy", "") for scheme in ("http", "https")}
    return {scheme: proxy for scheme, proxy in found.items() if proxy}
