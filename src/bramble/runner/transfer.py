"""Brings artifacts to a host and hands them on to the next: a second process beside the loop, while others work.

A file comes from the controller over the connection, or from a host that has it or is getting it: what has arrived is
handed on at once, so that a file reaches the last of many hosts hardly later than the first. Each host checks what it
got. Requests are JSON lines, as the loop's (``do`` says which):

``look``   ``artifacts`` (sha256 and size each): answers with how many bytes of each are here, and what is free
``serve``  ``token``: lets hosts that know the token fetch what is here; answers with the ``port``
``pull``   ``sha256``, ``size``, ``sources`` (address and port each), ``token``: fetches from the first that has it
``push``   ``sha256``, ``size``: answers with the ``offset`` from which the bytes themselves then follow
``tidy``   takes away all that was brought: what was wanted is in its place by then
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import io
import json
import os
import shutil
import socket
import sys
import threading
import time
from typing import IO, Any, Optional, cast

from .journal import FOLDER
from .step import StepError, failure

#: Bytes that are read, written and handed on at a time.
CHUNK = 256 * 1024

#: Seconds without a further byte after which a source is given up, and those for a connection to stand.
STALL, CONNECT = 20.0, 3.0

#: What the host's own disk refuses. Any other error while something is fetched is the network's: another way is tried.
DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO))

#: Seconds between two words on how far it is.
TICK = 1.0


def place(sha256: str, folder: str = FOLDER) -> str:
    """Where an artifact lies on a host when it has arrived."""
    return os.path.join(folder, "artifacts", sha256)


def require_arrived(artifact: str, sha256: str) -> str:
    """Where an artifact lies that a step is about to use; ``artifact`` is its name.

    Raises
    ------
    StepError
        It is not here.
    """
    path = place(sha256)
    if not sha256 or not os.path.exists(path):
        raise StepError(f"{artifact} was not brought to this host", hint="run the same again")
    return path


class Incoming:
    """One artifact on its way to this host, or here already. Others may read what has arrived of it."""

    def __init__(self, sha256: str, size: int, path: str) -> None:
        self.sha256, self.size, self.path = sha256, size, path
        self.grown = threading.Condition()
        self.whole = os.path.exists(path)
        self.arrived = size if self.whole else 0
        #: Why what came was thrown away.
        self.wrong = ""
        self._hash = hashlib.sha256()
        self._file: Optional[IO[bytes]] = None

    @property
    def part(self) -> str:
        """Where it lies until it is whole."""
        return self.path + ".part"

    def present(self) -> int:
        """Bytes that are here, also from an earlier try."""
        if self.whole:
            return self.size
        try:
            return min(os.path.getsize(self.part), self.size)
        except FileNotFoundError:
            return 0

    def begin(self) -> int:
        """Open it for what is still to come; returns how much is here already."""
        handle = os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "r+b")
        self._file.truncate(self.present())
        self._hash = hashlib.sha256()
        self.arrived = 0
        while True:
            data = self._file.read(CHUNK)
            if not data:
                break
            self._hash.update(data)
            self._grow(len(data))
        return self.arrived

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        assert self._file
        self._file.write(data)
        self._file.flush()
        self._hash.update(data)
        self._grow(len(data))

    def _grow(self, size: int) -> None:
        with self.grown:
            self.arrived += size
            self.grown.notify_all()

    def end(self) -> bool:
        """Close it; whether it is whole and what it should be. What is not is taken away, and begun anew."""
        assert self._file
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
        if self.arrived < self.size:
            return False
        found = self._hash.hexdigest()
        if found != self.sha256:
            self.wrong = f"its SHA-256 is {found}, and must be {self.sha256}"
            os.unlink(self.part)
            self.arrived = 0
            return False
        os.rename(self.part, self.path)
        with self.grown:
            self.whole = True
            self.grown.notify_all()
        return True


class Transfer:
    """All artifacts of this host.

    Parameters
    ----------
    stdin, send
        Where bytes come from, and what takes each answer.
    folder
        Another one than bramble's own only in tests.
    """

    def __init__(self, stdin: io.BufferedIOBase, send: Any, folder: str = FOLDER) -> None:
        self._stdin = stdin
        self._send = send
        self._folder = folder
        self._incoming: "dict[str, Incoming]" = {}
        self._known = threading.Condition()
        self._told = time.monotonic()

    def _of(self, request: "dict[str, Any]") -> Incoming:
        sha256 = request["sha256"]
        with self._known:
            if sha256 not in self._incoming:
                path = place(sha256, self._folder)
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                self._incoming[sha256] = Incoming(sha256, request["size"], path)
                self._known.notify_all()
            return self._incoming[sha256]

    def serve(self, request: "dict[str, Any]") -> None:
        """Answer one request."""
        try:
            getattr(self, f"_{request['do']}")(request)
        except (StepError, OSError) as error:
            self._send(failure(error))

    def _look(self, request: "dict[str, Any]") -> None:
        folder = self._folder
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        space = os.statvfs(folder)
        damaged: list[str] = []
        have = {wanted["sha256"]: self._present(wanted, damaged) for wanted in request["artifacts"]}
        self._send({"kind": "looked", "have": have, "free": space.f_bavail * space.f_frsize, "damaged": damaged})

    def _present(self, wanted: "dict[str, Any]", damaged: "list[str]") -> int:
        """How much of one is here. What an earlier run left is only believed if it is what it must be."""
        path = place(wanted["sha256"], self._folder)
        incoming = Incoming(wanted["sha256"], wanted["size"], path)
        if incoming.whole:
            found = hashlib.sha256()
            with open(path, "rb") as file:
                for data in iter(lambda: file.read(CHUNK), b""):
                    found.update(data)
            if found.hexdigest() != wanted["sha256"]:
                damaged.append(f"the SHA-256 of {path} is {found.hexdigest()}, and must be {wanted['sha256']}")
                os.unlink(path)
                return 0
        return incoming.present()

    def _serve(self, request: "dict[str, Any]") -> None:
        dual = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if dual else socket.AF_INET
        listening = socket.create_server(("", 0), family=family, dualstack_ipv6=dual, backlog=16)
        threading.Thread(target=self._listen, args=(listening, request["token"]), daemon=True).start()
        self._send({"kind": "serving", "port": listening.getsockname()[1]})

    def _listen(self, listening: socket.socket, token: str) -> None:
        while True:
            asking, _ = listening.accept()
            threading.Thread(target=self._hand_on, args=(asking, token), daemon=True).start()

    def _hand_on(self, asking: socket.socket, token: str) -> None:
        """One host that asks: ``token sha256 offset`` on one line."""
        try:
            with asking, asking.makefile("rb") as said:
                asking.settimeout(STALL)
                words = said.readline(300).split()
                if len(words) != 3 or not hmac.compare_digest(words[0], token.encode()):
                    return
                incoming = self._expected(words[1].decode())
                if incoming is not None:
                    _stream(incoming, int(words[2]), asking)
        except (OSError, ValueError):
            return  # it went, or says what no host of ours says: it looks for another source

    def _expected(self, sha256: str) -> Optional[Incoming]:
        """An artifact that is asked for; it may be about to be sent here."""
        with self._known:
            self._known.wait_for(lambda: sha256 in self._incoming, STALL)
            return self._incoming.get(sha256)

    def _pull(self, request: "dict[str, Any]") -> None:
        incoming = self._of(request)
        faults = []
        if not incoming.whole:
            for address, port in request["sources"]:
                try:
                    if self._fetch(incoming, address, port, request["token"]):
                        break
                    faults.append(f"{address}: what came was {incoming.wrong or 'not all'}")
                except socket.timeout:
                    faults.append(f"{address}: no answer")
                except OSError as error:
                    if error.errno in DISK:
                        raise
                    faults.append(f"{address}: {error.strerror or error}")
        self._send({"kind": "pulled" if incoming.whole else "not-pulled", "why": "; ".join(faults)})

    def _fetch(self, incoming: Incoming, address: str, port: int, token: str) -> bool:
        with socket.create_connection((address, port), timeout=CONNECT) as source:
            source.settimeout(STALL + CONNECT)
            offset = incoming.begin()
            try:
                source.sendall(f"{token} {incoming.sha256} {offset}\n".encode())
                while incoming.arrived < incoming.size:
                    data = source.recv(min(CHUNK, incoming.size - incoming.arrived))
                    if not data:
                        break
                    incoming.add(data)
                    self._tell(incoming)
            finally:
                whole = incoming.end()
        return whole

    def _push(self, request: "dict[str, Any]") -> None:
        incoming = self._of(request)
        offset = incoming.size if incoming.whole else incoming.begin()
        self._send({"kind": "ready", "offset": offset})
        coming = incoming.size - offset
        try:
            while coming:
                data = self._stdin.read1(min(CHUNK, coming))
                if not data:
                    break
                coming -= len(data)
                incoming.add(data)
                self._tell(incoming)
            if offset < incoming.size:
                incoming.end()
        except OSError:
            with contextlib.suppress(OSError):  # the first error tells it all
                incoming.end()
            # What is still on its way is no request: it must not be read as one when the error has been told.
            while coming and (data := self._stdin.read1(min(CHUNK, coming))):
                coming -= len(data)
            raise
        if not incoming.whole:
            raise StepError(
                "what came from the controller was damaged on the way, and thrown away",
                why=incoming.wrong,
                hint="run the same again",
            )
        self._send({"kind": "pushed"})

    def _tell(self, incoming: Incoming) -> None:
        now = time.monotonic()
        if now - self._told >= TICK:
            self._told = now
            self._send({"kind": "transfer", "sha256": incoming.sha256, "arrived": incoming.arrived})

    def _tidy(self, request: "dict[str, Any]") -> None:
        shutil.rmtree(os.path.dirname(place("", self._folder)), ignore_errors=True)
        self._send({"kind": "tidied"})


def _opened(incoming: Incoming) -> "IO[bytes]":
    """By the name it has now: an open file keeps its content when it becomes whole, and when it is taken away."""
    try:
        return open(incoming.part, "rb")
    except FileNotFoundError:
        return open(incoming.path, "rb")


def _stream(incoming: Incoming, offset: int, asking: socket.socket) -> None:
    """Send what is here from ``offset`` on, and what comes as it comes."""
    with incoming.grown:
        incoming.grown.wait_for(lambda: incoming.arrived > 0, STALL)
    with _opened(incoming) as file:
        file.seek(offset)
        while offset < incoming.size:
            with incoming.grown:
                incoming.grown.wait_for(lambda: incoming.arrived > offset, STALL)  # noqa: B023
                ready = incoming.arrived - offset
            if ready <= 0:
                return
            data = file.read(min(CHUNK, ready))
            asking.sendall(data)
            offset += len(data)


def main(stdin: "IO[bytes]" = sys.stdin.buffer, stdout: "IO[bytes]" = sys.stdout.buffer) -> None:
    """Serve the controller at the other end of these streams, until its input ends."""
    os.umask(0o077)

    def send(message: "dict[str, Any]") -> None:
        stdout.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        stdout.flush()

    # The very one that the first lines were read from: it may hold more by now.
    transfer = Transfer(cast(io.BufferedReader, stdin), send)
    for line in iter(stdin.readline, b""):
        request = json.loads(line)
        if request["do"] != "alive":
            transfer.serve(request)
    # Threads that still hand something on must not keep a host busy whose controller is gone.
    os._exit(0)
