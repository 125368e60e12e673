"""The service as one of this machine's: a user of its own, and a hardened unit of systemd."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..errors import BrambleError, UsageError

#: Who the service is, where it keeps everything, and what starts it.
USER, HOME, UNIT = "bramble", Path("/var/lib/bramble-service"), Path("/etc/systemd/system/bramble.service")

#: What the service itself keeps, as `inventory.folders.service` has it for its user.
SERVICE = HOME / ".local/share/bramble/service"

#: What the unit hides from the service.
_HIDDEN = ("/root", "/home", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 — nothing is written there

_ELSEWHERE = (
    "sudo python3 -m venv /opt/bramble; sudo /opt/bramble/bin/pip install 'pi-bramble[serve]'; "
    "sudo /opt/bramble/bin/bramble serve --install"
)


def check() -> None:
    """Refuse where there can be no unit.

    Raises
    ------
    UsageError
        Not root, or no systemd, or a user of this name who is somebody else.
    """
    if os.geteuid() != 0:
        raise UsageError("only root has to do with services of this machine", hint=f"sudo {' '.join(sys.argv)}")
    if not Path("/run/systemd/system").is_dir():
        raise UsageError("this machine does not run systemd", hint="let whatever starts its services start this one")
    if installed() and pwd.getpwnam(USER).pw_dir != str(HOME):
        raise UsageError(f"there is a user {USER} already, who is somebody else", hint="getent passwd bramble")


def check_program() -> None:
    """Refuse a program that the service's user could not run.

    Raises
    ------
    UsageError
        It lies where others may not look.
    """
    for path in (Path(sys.executable), Path(sys.executable).resolve(), Path(__file__)):
        if hidden := _unreadable(path):
            raise UsageError(f"the service's own user could not run {path}", why=hidden, hint=_ELSEWHERE)


def check_readable(*files: Path) -> None:
    """Refuse files that the service's user could not read. That user is there already.

    Raises
    ------
    UsageError
        They are hidden from the service, or not for its user.
    """
    for file in files:
        if hidden := _hidden(file):
            raise UsageError(f"the service could not read {file}", why=hidden, hint="keep it in /etc/ssl")
        if not file.is_file():
            raise UsageError(f"there is no file {file}")
        user, groups = pwd.getpwnam(USER), [one.gr_gid for one in grp.getgrall() if USER in one.gr_mem]
        reads = subprocess.run(
            ["test", "-r", file], user=user.pw_uid, group=user.pw_gid, extra_groups=groups, check=False
        )
        if reads.returncode:
            hint = f"chgrp {USER} {file}; chmod 640 {file}; and let it into the folders above"
            raise UsageError(f"the service's user {USER} could not read {file}", hint=hint)


def installed() -> bool:
    """Whether the service's user is there."""
    return any(one.pw_name == USER for one in pwd.getpwall())


def prepare() -> str:
    """Make the service's user, its folder and its SSH key; returns the public half of that.

    Raises
    ------
    BrambleError
        Something cannot be made.
    """
    if not installed():
        words = [
            "--system",
            "--user-group",
            "--home-dir",
            str(HOME),
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
        ]
        _do("useradd", *words, "--comment", "bramble serve", USER)
    HOME.mkdir(mode=0o700, exist_ok=True)
    key = HOME / ".ssh/id_ed25519"
    if not key.exists():
        key.parent.mkdir(mode=0o700, exist_ok=True)
        made, encoding = Ed25519PrivateKey.generate(), serialization.Encoding
        form, public = serialization.PrivateFormat.OpenSSH, serialization.PublicFormat.OpenSSH
        half = made.public_key().public_bytes(encoding.OpenSSH, public).decode()
        key.with_suffix(".pub").write_text(f"{half} {USER}@{socket.gethostname()}\n")
        key.touch(mode=0o600)
        key.write_bytes(made.private_bytes(encoding.PEM, form, serialization.NoEncryption()))
    _give(USER)
    return key.with_suffix(".pub").read_text().strip()


def copy_clusters() -> tuple[list[str], list[str]]:
    """Copy cluster files, known host keys and secrets of the person who installs; what is there already stays.

    Returns
    -------
    tuple
        Paths that were copied, and those that stayed as they were, both below the service's folder.
    """
    person = pwd.getpwnam(os.environ.get("SUDO_USER") or "root")
    copied, stayed = [], []
    for part in (".config/bramble/clusters", ".local/share/bramble/known_hosts", ".local/share/bramble/secrets"):
        for path in _files(Path(person.pw_dir) / part):
            name = str(path.relative_to(person.pw_dir))
            if (HOME / name).exists():
                stayed.append(name)
                continue
            (HOME / name).parent.mkdir(parents=True, exist_ok=True)
            (HOME / name).touch(mode=0o600)
            shutil.copyfile(path, HOME / name)
            copied.append(name)
    _give(USER)
    return copied, stayed


def users() -> dict[str, str]:
    """Who can log in, and their role."""
    told = _as_user("users", "list", "--json", capture_output=True)
    found = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    return {user["name"]: user["role"] for user in found}


def add_admin(name: str, password: str) -> None:
    """Let the first admin in.

    Raises
    ------
    UsageError
        The name or the password will not do.
    """
    file = HOME / ".first-password"
    try:
        file.touch(mode=0o600)
        os.chown(file, (user := pwd.getpwnam(USER)).pw_uid, user.pw_gid)
        file.write_text(f"{password}\n")
        words = ("users", "add", name, "--role", "admin", "--password-file", str(file))
        done = _as_user(*words, capture_output=True)
    finally:
        file.unlink(missing_ok=True)
    if done.returncode:
        raise UsageError(f"{name} cannot be the first admin", why=done.stderr.removeprefix("error: ").strip())


def start(words: Sequence[str], port: int) -> bool:
    """Write the unit, and have it run now and whenever this machine starts. Whether anything was changed.

    Parameters
    ----------
    words
        Options of ``bramble serve``.

    Raises
    ------
    BrambleError
        It does not start; ``why`` is what it said.
    """
    text = Template(Path(__file__).with_name("bramble.service").read_text()).substitute(
        user=USER,
        home=HOME,
        state=HOME.name,
        command=" ".join(_quoted(word) for word in (sys.executable, "-m", "bramble", "serve", *words)),
        capabilities="CAP_NET_BIND_SERVICE" if 0 < port < 1024 else "",
    )
    running = subprocess.run(["systemctl", "is-active", "--quiet", UNIT.name], check=False).returncode == 0
    if running and UNIT.exists() and UNIT.read_text() == text:
        return False
    UNIT.write_text(text)
    _do("systemctl", "daemon-reload")
    _do("systemctl", "--quiet", "enable", UNIT.name)
    try:
        _do("systemctl", "restart", UNIT.name)
    except BrambleError:
        subprocess.run(["systemctl", "stop", UNIT.name], check=False)
        said = subprocess.run(
            ["journalctl", "--unit", UNIT.name, "--lines", "4", "--output", "cat", "_COMM=python3", "--quiet"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        raise BrambleError(
            "the service does not start", why=said.stdout.strip(), hint=f"journalctl --unit {UNIT.stem}"
        ) from None
    return True


def uninstall(*, purge: bool = False) -> bool:
    """Take the service off again; whether it was there.

    Parameters
    ----------
    purge
        Take away what it keeps, too; else that stays, for root alone.
    """
    there = UNIT.exists() or installed()
    if UNIT.exists():
        _do("systemctl", "--quiet", "disable", "--now", UNIT.name)
        UNIT.unlink()
        _do("systemctl", "daemon-reload")
        subprocess.run(["systemctl", "reset-failed", UNIT.name], capture_output=True, check=False)
    if purge and HOME.exists():
        shutil.rmtree(HOME)
    elif HOME.exists():
        # The number of a user who is gone may be given to another.
        _give("root")
    if installed():
        _do("userdel", USER)
    return there


def _unreadable(path: Path) -> str:
    """Why others cannot read a file; empty where they can."""
    if hidden := _hidden(path):
        return hidden
    for one in (path, *path.parents):
        needed = 0o004 if one == path else 0o001
        if not one.stat().st_mode & needed:
            return f"{one} is not open to others"
    return ""


def _hidden(path: Path) -> str:
    """Why the service does not see a file, whoever may read it; empty where it does."""
    if str(path).startswith(tuple(f"{folder}/" for folder in _HIDDEN)):
        return f"the service does not see what is in {'/'.join(path.parts[:2])[1:]}"
    return ""


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from sorted(one for one in path.rglob("*") if one.is_file())


def _give(user: str) -> None:
    """Make all in the service's folder a user's, for them alone."""
    owner = pwd.getpwnam(user)
    for folder, _, files in os.walk(HOME):
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        os.chmod(folder, 0o700)
        for name in files:
            os.chown(os.path.join(folder, name), owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _as_user(*words: str, **options: bool) -> subprocess.CompletedProcess[str]:
    owner = pwd.getpwnam(USER)
    environment = {"HOME": str(HOME), "PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "bramble", *words],
        user=owner.pw_uid, group=owner.pw_gid, extra_groups=[], umask=0o077, env=environment, cwd=HOME,
        text=True, check=False, stdin=subprocess.DEVNULL, capture_output=options.get("capture_output", False),
    )  # fmt: skip


def _do(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BrambleError(f"{words[0]} failed", why=done.stderr.strip() or f"exit code {done.returncode}")


def _quoted(word: str) -> str:
    """A word as a unit file has it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word
