"""Files that come to a host, or go from it: a process of its own, as `backup` is; the controller's end uses it, too.

It answers one request, a JSON line:

``place``  ``to``, ``entries`` (`Entry` each), ``owner`` and ``mode`` (as `Placer` takes them): answers with the
           ``numbers`` of the files that are not there yet. Their contents follow as `frames`; then comes ``placed``
           with how many entries were ``changed`` and ``unchanged``, and below which ``folder`` they are
``take``   ``paths``: answers with ``entries``, and what was ``left_out``; the contents of the files follow as `frames`
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any, Union

from ..dataclass import asdict
from ..step import StepError, failure
from .found import Entry, Found, find
from .placer import Placer, settle

#: Bytes that are read, sent and written at a time.
CHUNK = 1 << 18

#: In place of the size of a piece: the file is whole, and its hash follows; it broke off, and a line of JSON tells why.
END, BROKEN = 0, 0xFFFFFFFF

SIZE = struct.Struct(">I")


def frames(found: Found) -> "Iterator[bytes]":
    """A file's content in pieces, each after its size; at the end the hash of all.

    Raises
    ------
    OSError
        It cannot be read (any more).
    """
    digest = hashlib.sha256()
    with found.open() as file:
        for data in iter(lambda: file.read(CHUNK), b""):
            digest.update(data)
            yield SIZE.pack(len(data)) + data
    yield SIZE.pack(END) + digest.digest()


def read_frame(read: "Callable[[int], bytes]", size: int) -> bytes:
    """So many bytes, no fewer.

    Raises
    ------
    EOFError
        Whoever sends them is gone.
    """
    parts = []
    while size:
        data = read(size)
        if not data:
            raise EOFError
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def told(error: "Union[StepError, OSError]") -> "dict[str, Any]":
    """A failure as it is answered; who lacks permission is told of sudo."""
    answer = failure(error)
    return {**answer, "hint": "as root: --sudo"} if isinstance(error, PermissionError) else answer


def main(stdin: "IO[bytes]" = sys.stdin.buffer, stdout: "IO[bytes]" = sys.stdout.buffer) -> None:
    """Answer the controller at the other end of these streams."""
    os.umask(0o022)

    def send(**message: Any) -> None:
        stdout.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        stdout.flush()

    request = json.loads(stdin.readline())
    try:
        if request["do"] == "take":
            _take(request["paths"], stdout, send)
        else:
            _place(request, stdin, send)
    except (StepError, OSError) as error:
        send(**told(error))
    except EOFError:
        return  # the controller is gone: there is nobody to tell


def _take(paths: "list[str]", stdout: "IO[bytes]", send: "Callable[..., None]") -> None:
    found, left_out = find([_absolute(path) for path in paths])
    send(kind="found", entries=[asdict(one.entry) for one in found], left_out=left_out)
    for one in found:
        if one.entry.kind == "file":
            try:
                for frame in frames(one):
                    stdout.write(frame)
            except OSError as error:
                stdout.write(SIZE.pack(BROKEN))
                send(**told(error))
                return
    stdout.flush()


def _place(request: "dict[str, Any]", stdin: "IO[bytes]", send: "Callable[..., None]") -> None:
    folder, entries = settle(_absolute(request["to"]), [Entry(**entry) for entry in request["entries"]])
    placer = Placer(folder, owner=request["owner"], mode=request["mode"])
    try:
        numbers = placer.lacking(entries)
        send(kind="need", numbers=numbers)
        for number in numbers:
            placer.begin(entries[number])
            while (size := SIZE.unpack(read_frame(stdin.read, SIZE.size))[0]) != END:
                placer.write(read_frame(stdin.read, size))
            placer.end(read_frame(stdin.read, 32))
        placer.finish()
    finally:
        placer.close()
    send(kind="placed", changed=placer.changed, unchanged=len(entries) - placer.changed, folder=folder)


def _absolute(path: str) -> str:
    """A path as the user who logged in means it: below the home folder, unless it is absolute."""
    import pwd

    if path.startswith("/"):
        return path
    # As root by sudo, the home is still that of the user who logged in.
    try:
        home = pwd.getpwnam(os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name).pw_dir
    except KeyError:
        home = os.path.expanduser("~")
    below = path[1:].lstrip("/") if path == "~" or path.startswith("~/") else path
    return os.path.join(home, below) if below not in ("", ".") else home + "/"
