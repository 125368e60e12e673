"""Run containers from an image made here, and let them tell where they are. Prints a line for all that works."""

import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
from typing import Any

NAME, IMAGE, PORT = "bramble-proof", "bramble.invalid/proof:1", 8080
SHELL = "/bin/sh"
# Every Debian and Ubuntu has this much of Perl: a small program that can listen.
PERL = "/usr/bin/perl"
# Bytes that a container may have, and those that it takes.
LIMIT, GREED = 32 << 20, 128 << 20
# Seconds for a container to listen.
START = 20

# What goes into the image has no /etc/passwd; the first process of a container is its number 1.
ASKED = (
    'echo "answer $((6 * 7))"; echo "process $$"; echo x >/written && echo "disk $(test -e /etc/passwd || echo own)"'
)
SERVE = f"""use Socket; socket(S, PF_INET, SOCK_STREAM, 0) and bind(S, sockaddr_in({PORT}, INADDR_ANY)) and listen(S, 5)
or die "$!\\n"; while (accept(C, S)) {{ print C 6 * 7, "\\n"; close C }}"""
ASK = f"""use Socket; for (1..{START * 5}) {{ my $to = gethostbyname($ARGV[0]); socket(S, PF_INET, SOCK_STREAM, 0);
if ($to && connect(S, sockaddr_in({PORT}, $to))) {{ print <S>; exit }} select(undef, undef, undef, 0.2) }}
die "$ARGV[0]: $!\\n" """
TAKE = f'my $taken = "x" x {GREED}; print length $taken, "\\n"'

asked = json.load(sys.stdin)


def _docker(*words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["docker", *words], input=given, capture_output=True, check=False)


def _must(*words: str, given: bytes = b"") -> str:
    done = _docker(*words, given=given)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        sys.exit(said[0] if said else f"docker {words[0]} ended with {done.returncode}")
    return done.stdout.decode(errors="replace")


def _passed(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _files() -> "list[str]":
    """The programs, what they are loaded with (ldd names each file by its path), and Perl's own library."""
    found = [SHELL, PERL]
    for program in (SHELL, PERL):
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        found += re.findall(r"(/\S+) \(0x", listed)
    where = subprocess.run([PERL, "-MSocket", "-e", "print $INC{'Socket.pm'}"], capture_output=True, text=True)  # noqa: PLW1510
    return sorted({*found, os.path.dirname(where.stdout)})


def _layer() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path in _files():
            tar.add(os.path.realpath(path), arcname=path.lstrip("/"))
    return made.getvalue()


def _image() -> bytes:
    """An archive as `docker save` writes it: every version loads that, and only newer ones load OCI's."""
    layer = _layer()
    machine = {"aarch64": "arm64", "x86_64": "amd64"}.get(os.uname().machine, "arm")
    config = json.dumps(
        {
            "architecture": machine,
            "os": "linux",
            "config": {"Cmd": [SHELL], "Labels": {NAME: ""}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    names = f"{hashlib.sha256(config).hexdigest()}.json", "layer.tar"
    manifest: list[dict[str, Any]] = [{"Config": names[0], "RepoTags": [IMAGE], "Layers": [names[1]]}]
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data in zip((*names, "manifest.json"), (config, layer, json.dumps(manifest).encode())):  # noqa: B905
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def _run(*words: str) -> str:
    return _must("run", "--label", NAME, *words)


def _network() -> None:
    """A container reaches another by its name, and this host a port of it."""
    _must("network", "create", "--label", NAME, NAME)
    inside = ["--network", NAME, "--detach", "--name", NAME, "--publish", str(PORT)]
    _run(*inside, IMAGE, PERL, "-e", SERVE)
    answer = _run("--rm", "--network", NAME, IMAGE, PERL, "-e", ASK, NAME)
    if answer == "42\n":
        _passed("name reached")
    published = int(_must("port", NAME, f"{PORT}/tcp").splitlines()[0].rpartition(":")[2])
    ends = time.monotonic() + START
    while True:
        try:
            with socket.create_connection((asked["address"], published), timeout=5) as connection:
                if connection.recv(100) == b"42\n":
                    _passed("port answers")
            return
        except OSError as error:
            if time.monotonic() > ends:
                sys.exit(f"{asked['address']}:{published}: {error}")
            time.sleep(0.2)


def _limit() -> None:
    """A container that takes more than it may is killed; one that takes less is not."""
    limits = ["--rm", "--network", "none", "--memory", str(LIMIT), "--memory-swap", str(LIMIT)]
    least = _run(*limits, IMAGE, PERL, "-e", 'print "fits\\n"')
    greedy = _docker("run", "--label", NAME, *limits, IMAGE, PERL, "-e", TAKE)
    if least == "fits\n" and greedy.returncode == 137:
        _passed("memory limited")
    else:
        sys.stderr.write(f"it was given {LIMIT >> 20} MB, took {GREED >> 20}, and ended with {greedy.returncode}\n")


def _clear() -> None:
    """Also what an earlier proof left that was cut off."""
    mine = ["--quiet", "--filter", f"label={NAME}"]
    for kind, listed in (("container", ["--all", *mine]), ("network", mine)):
        for one in _docker(kind, "ls", *listed).stdout.decode().split():
            _docker(kind, "rm", *(["--force", "--volumes"] if kind == "container" else []), one)
    _docker("image", "rm", IMAGE)


_must("version")
_clear()
try:
    _must("load", given=_image())
    _passed("image loaded")
    sys.stdout.write(_run("--rm", "--network", "none", IMAGE, SHELL, "-c", ASKED))
    _network()
    if asked["limits"]:
        _limit()
finally:
    _clear()
