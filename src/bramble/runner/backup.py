"""Hands over what is to be kept of a service, or takes in what was kept: a process of its own, as `transfer` is.

It answers one request, a JSON line:

``take``  ``argv``: runs it with a private folder as its last word, and answers with the ``size`` of a tar archive of
          what it left there, whose bytes follow; the folder goes
``lay``   ``size`` of such an archive, whose bytes follow: answers with ``laid`` when all of it is in `LAID`
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import tempfile
from typing import IO, Any

from .journal import FOLDER
from .step import StepError, failure
from .system import System

#: Where what was kept lies on a host that it is brought back to, until a step of the service takes it away. With the
#: last service it goes in any case.
LAID = os.path.join(FOLDER, "restore")

CHUNK = 1 << 18


def take(argv: "list[str]", out: "IO[bytes]") -> None:
    """Write a tar archive of what a command leaves in a folder.

    Raises
    ------
    StepError
        The command failed; with the end of what it said.
    OSError
        The disk is full.
    """
    folder = tempfile.mkdtemp(prefix="backup-", dir=FOLDER)
    try:
        System().must([*argv, folder], "what is to be kept could not be had")
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name in sorted(os.listdir(folder)):
                tar.add(os.path.join(folder, name), arcname=name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lay(data: "IO[bytes]", size: int, folder: str = LAID) -> None:
    """Unpack an archive into a folder that only root reads, in place of what an earlier try left there.

    Raises
    ------
    StepError
        It did not arrive whole.
    OSError
        The disk is full.
    """
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as whole:
        while size > 0:
            part = data.read(min(CHUNK, size))
            if not part:
                raise StepError("what was kept did not arrive whole", hint="run the same again")
            whole.write(part)
            size -= len(part)
        whole.seek(0)
        with tarfile.open(fileobj=whole) as tar:
            for member in tar:
                if not member.isfile() or os.path.basename(member.name) != member.name:
                    raise StepError(f"{member.name!r} is no plain file, so nothing is brought back")
                source = tar.extractfile(member)
                assert source
                handle = os.open(os.path.join(folder, member.name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    shutil.copyfileobj(source, file, CHUNK)
                    file.flush()
                    os.fsync(file.fileno())


def main(stdin: "IO[bytes]" = sys.stdin.buffer, stdout: "IO[bytes]" = sys.stdout.buffer) -> None:
    """Answer the controller at the other end of these streams."""
    os.umask(0o077)

    def send(**message: Any) -> None:
        stdout.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        stdout.flush()

    request = json.loads(stdin.readline())
    try:
        if request["do"] == "lay":
            lay(stdin, request["size"])
            send(kind="laid")
            return
        with tempfile.TemporaryFile(dir=FOLDER) as packed:
            take(request["argv"], packed)
            send(kind="taken", size=packed.tell())
            packed.seek(0)
            shutil.copyfileobj(packed, stdout, CHUNK)
            stdout.flush()
    except (StepError, OSError) as error:
        send(**failure(error))
