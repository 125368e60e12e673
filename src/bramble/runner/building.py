"""Builds an image with buildah, podman or docker: on a host as root, or on the controller as who runs it.

A process of its own, as `transfer` is. It answers one request, a JSON line:

``find``   answers with the ``builder`` there is, and the ``architecture`` of this machine
``build``  ``builder``, ``file`` (the Containerfile's text), ``architecture``, ``arguments`` (name → value), ``name``,
           ``fresh`` (use nothing of an earlier build), and ``folder``, or the ``size`` of a tar archive of it whose
           bytes follow: answers with ``said`` for each line of the builder's, then with the ``built`` archive's
           ``size``, whose bytes follow

When its input ends in the middle, so does the builder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any, Optional

from .facts import architecture
from .journal import FOLDER
from .step import StepError, failure

#: In the order in which they are taken: the first needs no daemon and nothing set up.
BUILDERS = ("buildah", "podman", "docker")

#: Debian's word for an architecture → the platform of images. The 32-bit Raspberry Pi OS is armhf on every board.
PLATFORMS = {"amd64": "linux/amd64", "arm64": "linux/arm64", "armhf": "linux/arm/v7", "riscv64": "linux/riscv64"}

#: Debian's word → the processor that qemu calls itself after where the kernel lets it run foreign programs.
_EMULATED = {"amd64": "x86_64", "arm64": "aarch64", "armhf": "arm", "riscv64": "riscv64"}

#: What a builder keeps for the next build of the same; a host's goes with the last service.
_STORAGE = os.path.join(FOLDER, "build")

#: Where buildah and podman note what they know of registries, wherever they keep images.
_CACHE = "/var/lib/containers"

#: buildah gives every build these arguments, and then warns of its own that nobody used them.
_OF_ITSELF = re.compile(r"build args were not consumed: \[(?:TARGET[A-Z]+ ?)+\]")

CHUNK = 1 << 18

#: Lines of output that go along with an error.
LOG_LINES = 20


def find() -> str:
    """The builder to take; empty where there is none that works."""
    for name in BUILDERS:
        if shutil.which(name):
            # Where there is docker, its daemon may not be, or not for this user.
            asked = [name, "version"] if name == "docker" else [name, "--version"]
            done = subprocess.run(
                asked, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )
            if done.returncode == 0:
                return name
    return ""


class Build:
    """One build.

    Parameters
    ----------
    request
        As it came.
    folder
        What is built from.
    work
        Where the rest is put; the caller takes it away.
    tell
        Takes every line that the builder says.
    """

    def __init__(self, request: "dict[str, Any]", folder: str, work: str, tell: "Callable[[str], None]") -> None:
        self._request, self._folder, self._work, self._tell = request, folder, work, tell
        self._process: "Optional[subprocess.Popen[str]]" = None
        self._log: "list[str]" = []

    def run(self) -> str:
        """Build it; returns the archive's path.

        Raises
        ------
        StepError
            The builder failed; with the end of what it said.
        """
        file = os.path.join(self._work, "Containerfile")
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(self._request["file"])
        out = os.path.join(self._work, "image.tar")
        # A name that no registry has, and the same for each build: the one before is only kept through it.
        name = f"bramble.invalid/built/{self._request['name']}"
        if self._request["builder"] == "docker":
            # BuildKit's way to the same times for the same content.
            self._must(["docker", "build", *self._words(file), "--tag", name, self._folder])
            self._must(["docker", "save", "--output", out, name])
            return out
        buildah = self._request["builder"] == "buildah"
        words = ["build", *self._words(file), "--timestamp", "0", "--layers", "--tag", name, self._folder]
        # In a change of root alone, no runtime is needed, and nothing of a network is left behind on a host.
        if self._visits or (buildah and not (shutil.which("crun") or shutil.which("runc"))):
            words[1:1] = ["--isolation", "chroot"]
        storage: "list[str]" = []
        try:
            self._must([*self._tool(storage), *words])
        except StepError:
            if not any("overlay" in line and "not supported" in line for line in self._log):
                raise
            self._tell("this file system cannot take overlays: files are copied instead")
            storage = ["--storage-driver", "vfs"]
            self._must([*self._tool(storage), *words])
        if buildah:
            self._must([*self._tool(storage), "push", "--quiet", name, f"oci-archive:{out}"])
        else:
            self._must([*self._tool(storage), "save", "--quiet", "--format", "oci-archive", "--output", out, name])
        return out

    @property
    def _visits(self) -> bool:
        """Whether this is a host, on which nothing must stay; the controller's builder is its user's own."""
        return "folder" not in self._request

    def stop(self) -> None:
        """End the builder and all that it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)

    def _tool(self, storage: "list[str]") -> "list[str]":
        """The builder; root's mounts end with it, and what it keeps on a host is bramble's."""
        name = self._request["builder"]
        if os.getuid() != 0:
            return [name, *storage]
        own = ["--root", _STORAGE, "--runroot", f"{self._work}/run"] if self._visits else []
        return ["unshare", "--mount", "--", name, *own, *storage]

    def _words(self, file: str) -> "list[str]":
        arguments = [f"--build-arg={name}={value}" for name, value in self._request["arguments"].items()]
        fresh = ["--no-cache"] if self._request["fresh"] else []
        return ["--platform", PLATFORMS[self._request["architecture"]], "--file", file, *arguments, *fresh]

    def _settings(self) -> "dict[str, str]":
        """What buildah and podman are told on a host, so that what they note of networks does not stay in /etc."""
        if not self._visits:
            return {}
        path = os.path.join(self._work, "containers.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'[network]\nnetwork_config_dir = "{self._work}/networks"\n')
        return {"CONTAINERS_CONF": path}

    def _must(self, argv: "list[str]") -> None:
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "SOURCE_DATE_EPOCH": "0", "BUILDKIT_PROGRESS": "plain", **self._settings()},
            start_new_session=True,
        )
        assert self._process.stdout
        for line in self._process.stdout:
            if line.strip() and not _OF_ITSELF.search(line):
                self._log.append(line.rstrip())
                self._tell(self._log[-1])
        if self._process.wait() != 0:
            tail = tuple(self._log[-LOG_LINES:])
            raise StepError(
                f"{self._request['builder']} could not build it",
                why=tail[-1] if tail else "",
                log=tail,
                hint=self._remedy(tail),
            )

    def _remedy(self, tail: "tuple[str, ...]") -> str:
        said = "\n".join(tail).lower()
        wanted, here = self._request["architecture"], architecture()
        if "exec format error" in said and not emulates(wanted):
            return (
                f"programs of {wanted} do not run on this {here} machine: sudo apt-get install qemu-user-static "
                "binfmt-support; or build on a host of the kind: --on HOST"
            )
        return ""


def emulates(wanted: str) -> bool:
    """Whether the kernel runs programs of another architecture through qemu."""
    try:
        with open(f"/proc/sys/fs/binfmt_misc/qemu-{_EMULATED[wanted]}", encoding="ascii") as file:
            return file.readline().strip() == "enabled"
    except OSError:
        return False


def _unpack(stdin: "IO[bytes]", size: int, folder: str) -> None:
    """Take in a tar archive of ``size`` bytes."""
    with tarfile.open(fileobj=_Exactly(stdin, size), mode="r|") as tar:  # type: ignore[call-overload]
        # We packed it ourselves, and the builder must find it as it was: links to anywhere, too.
        tar.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
        tar.extractall(folder)  # noqa: S202


class _Exactly:
    """The next ``size`` bytes of a stream, as a stream that ends there."""

    def __init__(self, stream: "IO[bytes]", size: int) -> None:
        self._stream, self.left = stream, size

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes."""
        data = self._stream.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(data)
        return data


def main(stdin: "IO[bytes]" = sys.stdin.buffer, stdout: "IO[bytes]" = sys.stdout.buffer) -> None:
    """Answer the controller at the other end of these streams."""
    os.umask(0o022)

    def send(**message: Any) -> None:
        stdout.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        stdout.flush()

    request = json.loads(stdin.readline())
    if request["do"] == "find":
        send(kind="found", builder=find(), architecture=architecture())
        return
    answer, out = _built(request, stdin, lambda line: send(kind="said", text=line))
    send(**answer)
    if out is not None:
        for data in iter(lambda: out.read(CHUNK), b""):
            stdout.write(data)
    stdout.flush()
    os._exit(0)  # a thread of ours still waits for input


def _built(
    request: "dict[str, Any]", stdin: "IO[bytes]", tell: "Callable[[str], None]"
) -> "tuple[dict[str, Any], Optional[IO[bytes]]]":
    """The answer to a request to build, and the archive; by then, all else is gone: who has the answer ends us."""
    # Not in memory: /tmp may be.
    work = tempfile.mkdtemp(prefix="bramble-build-", dir="/var/tmp")
    folder = request.get("folder", "")
    going = [work] if folder or os.path.exists(_CACHE) else [work, _CACHE]
    try:
        if not folder:
            folder = os.path.join(work, "context")
            _unpack(stdin, request["size"], folder)
        build = Build(request, folder, work, tell)
        threading.Thread(target=_until_end, args=(stdin, build), daemon=True).start()
        out = open(build.run(), "rb")  # noqa: SIM115  (read when it has no name any more)
        return {"kind": "built", "size": os.fstat(out.fileno()).st_size}, out
    except (StepError, OSError) as error:
        return failure(error), None
    finally:
        for place in going:
            shutil.rmtree(place, ignore_errors=True)


def _until_end(stdin: "IO[bytes]", build: Build) -> None:
    """End the build when nobody waits for it any more."""
    while stdin.read(CHUNK):
        pass
    build.stop()
