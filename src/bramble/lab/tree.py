"""Base trees: what a freshly written SD card holds, built once a release and kept.

A tree looks like Raspberry Pi OS Lite where that is cheap. Its name is the hash of its recipe and the day it was built
on, and it appears under that name only when it is whole.

Users of a tree (the lab's key opens all three): ``pi`` with sudo and no password, as on a Pi; ``pw`` whose sudo asks
for the password ``raspberry``; ``nosudo`` without sudo.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TextIO

from bramble.errors import BrambleError
from bramble.lab.archive import Release, apt_settings, available, candidate, proxy_environment
from bramble.lab.folders import remove_folder
from bramble.lab.process import clean_environment, last_lines
from bramble.lab.state import cache_folder, locked

#: What Raspberry Pi OS Lite has and deployments meet. minbase brings apt and dpkg; nothing here is the lab's own need.
PACKAGES = (
    "avahi-daemon",
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libpam-systemd",
    "openssh-server",
    "procps",
    "python3",
    "rsync",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
)
#: Never started in a lab: they would ask a console that nobody reads, take apt's lock at a time of their own, or set up
#: interfaces that are set up from outside.
MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "systemd-firstboot.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)
#: After so many days a tree is built again: the archive drops the packages that an old index names.
FRESH_DAYS = 7
#: After so many days a tree that a newer one has replaced is removed; hosts lie upon trees, so not before.
KEPT_DAYS = 45
#: Counts changes of the code below that the hashed data do not show.
RECIPE = 1

_FILES = {
    "/boot/firmware/cmdline.txt": (
        "console=serial0,115200 console=tty1 root=PARTUUID=4d3f8a1c-02 rootfstype=ext4 fsck.repair=yes rootwait\n"
    ),
    "/boot/firmware/config.txt": "# For more options and information see the manual\narm_64bit=1\n\n[all]\n",
    "/etc/default/locale": "LANG=C.UTF-8\n",
    "/etc/sudoers.d/010_pi-nopasswd": "pi ALL=(ALL) NOPASSWD: ALL\n",
    "/etc/sudoers.d/010_pw-password": "pw ALL=(ALL) PASSWD: ALL\n",
    "/etc/timezone": "Etc/UTC\n",
}
# The password's hash is fixed so that a tree is the same every time; the password is public and opens nothing but sudo.
_SETUP = """set -e
useradd --create-home --shell /bin/bash --uid 1000 --user-group pi
useradd --create-home --shell /bin/bash --uid 1001 --user-group pw
useradd --create-home --shell /bin/bash --uid 1002 --user-group nosudo
echo pw:raspberry | chpasswd
chmod 0440 /etc/sudoers.d/*
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id
: > /etc/machine-id
ln -sf /etc/machine-id /var/lib/dbus/machine-id
ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime
if test -e /usr/sbin/update-ca-certificates; then update-ca-certificates >/dev/null 2>&1; fi
apt-get clean
apt-get -q update
"""


def trees_folder() -> Path:
    """Where base trees are kept."""
    return cache_folder() / "trees"


def base_tree(release: str, progress: Callable[[str], None] = lambda _text: None) -> Path:
    """The base tree of a release, built when there is none or only an old one.

    Parameters
    ----------
    release
        Code name.
    progress
        Told when something slow begins.

    Raises
    ------
    UsageError
        There is no such release here.
    BrambleError
        The tree could not be built; ``why`` holds the end of the log.
    """
    folder = trees_folder()
    wanted = candidate(release)
    prefix = f"{release}-{_recipe(wanted)}-"
    with locked(folder / f"{release}.lock", f"another command is building the {release} tree", seconds=900):
        present = max(folder.glob(f"{prefix}????????"), default=None, key=lambda path: path.name)
        target = folder / f"{prefix}{_today():%Y%m%d}"
        if present and present.name > f"{prefix}{_today() - timedelta(days=FRESH_DAYS):%Y%m%d}":
            return present
        progress(f"building the {release} tree (once, a minute or two)")
        try:
            _build(available(wanted), target)
        except BrambleError as error:
            if present is None:
                raise
            progress(f"using the {release} tree of {present.name[-8:]}, a newer one could not be built: {error.what}")
            return present
        _prune(folder, release, keep=target)
        return target


def _today() -> date:
    return datetime.now(UTC).date()


def _recipe(release: Release) -> str:
    """Twelve digits that change whenever the tree would come out differently (but for the day's packages)."""
    sources = [source.line() for source in release.sources]
    parts = [RECIPE, PACKAGES, MASKED, sorted(_FILES.items()), _SETUP, sources, apt_settings(), sorted(_certificates())]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:12]


def _certificates() -> dict[str, str]:
    """Certificates that the machine's owner added to those it trusts; hosts behind the same proxy need them too."""
    folder = Path("/usr/local/share/ca-certificates")
    return {str(path.relative_to("/")): path.read_text(errors="replace") for path in folder.rglob("*.crt")}


def _build(release: Release, target: Path) -> None:
    """Build a tree beside its final name and move it there when it is whole."""
    part = target.with_name(f"{target.name}.part")
    for left in target.parent.glob("*.part"):
        remove_folder(left)
    log = target.with_name(f"{release.name}.log")
    base = release.sources[0]
    with log.open("w") as out:
        _isolated(
            [
                "debootstrap",
                "--variant=minbase",
                f"--keyring={release.keyring}",
                f"--components={','.join(base.components)}",
                f"--include={','.join(PACKAGES)}",
                release.name,
                part,
                base.uri,
            ],
            f"building the {release.name} tree",
            out,
        )
        _furnish(part, release)
        _isolated(["chroot", part, "sh", "-c", _SETUP], f"setting up the {release.name} tree", out)
        _isolated(["systemctl", f"--root={part}", "mask", *MASKED], f"masking units of the {release.name} tree", out)
    # Hosts get resolvers of their own: the one that building needed is not a part of the card.
    (part / "etc/resolv.conf").unlink(missing_ok=True)
    os.replace(part, target)


def _furnish(tree: Path, release: Release) -> None:
    """Write the files of the recipe and what is carried over from the machine."""
    files = {
        **_FILES,
        "/etc/apt/sources.list": "".join(f"{source.line()}\n" for source in release.sources),
        "/etc/apt/apt.conf.d/90-machine": apt_settings(),
        "/etc/resolv.conf": resolver(),
        **_certificates(),
    }
    for name, text in files.items():
        path = tree / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    for login in Path("/etc/apt").glob("auth.conf.d/*.conf"):
        shutil.copy(login, tree / "etc/apt/auth.conf.d" / login.name)
        (tree / "etc/apt/auth.conf.d" / login.name).chmod(0o600)


def resolver() -> str:
    """The machine's own resolver settings as hosts can use them.

    A local stub (127.0.0.53) is no use to a host with a network of its own, so what it asks itself is given instead.
    """
    for file in ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"):
        try:
            return Path(file).read_text()
        except OSError:
            continue
    return ""


def _isolated(argv: Sequence[str | Path], what: str, log: TextIO) -> None:
    """Run one builder in mount and process namespaces of its own, so that nothing of it outlives us, however we die."""
    guard = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    words = [str(word) for word in (*guard, *argv)]
    log.flush()
    environment = clean_environment({"DEBIAN_FRONTEND": "noninteractive", **proxy_environment()})
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, check=False)
    if done.returncode != 0:
        raise BrambleError(
            f"{what} failed", why=last_lines(Path(log.name).read_text(errors="replace"), 8), hint=f"see {log.name}"
        )


def _prune(folder: Path, release: str, keep: Path) -> None:
    """Remove trees of a release that were replaced long ago."""
    oldest = f"{_today() - timedelta(days=KEPT_DAYS):%Y%m%d}"
    for path in folder.glob(f"{release}-*-????????"):
        if path != keep and path.name[-8:] < oldest:
            remove_folder(path)
