"""Unpackers that are programs of their own: on many cores, or not in Python's standard library."""

from __future__ import annotations

import contextlib
import fcntl
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import IO

#: Bytes that wait between a program and us: as much as Linux lets anybody have.
_PIPE = 1 << 20

#: Memory for xz on many cores; with more cores than this allows for, it uses fewer. Without it, it takes a quarter of
#: the machine's.
_XZ_MEMORY = "128MiB"

#: Since this version xz unpacks on many cores, and knows of that limit.
_XZ_THREADS = (5, 4)


class Program:
    """What a program writes. Its failure is an `OSError` without a number, with the program's own words."""

    def __init__(self, argv: Sequence[str], process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._argv = argv
        self._process = process
        self._said = said

    @classmethod
    @contextlib.contextmanager
    def of(cls, argv: Sequence[str], path: Path) -> Iterator[Program]:
        """Start it on a file; however this is left, it ends."""
        with path.open("rb") as file, tempfile.TemporaryFile() as said:
            # A session of its own: Ctrl-C is for us, who end it in good order.
            process = subprocess.Popen(argv, stdin=file, stdout=subprocess.PIPE, stderr=said, start_new_session=True)
            assert process.stdout is not None
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                with contextlib.suppress(OSError):
                    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE)
            try:
                yield cls(argv, process, said)
            finally:
                process.stdout.close()
                process.kill()
                process.wait()

    @classmethod
    def xz(cls, path: Path) -> contextlib.AbstractContextManager[Program]:
        """xz, on as many cores as it can."""
        limit = [f"--memlimit-mt-decompress={_XZ_MEMORY}"] if _xz_version() >= _XZ_THREADS else []
        return cls.of(["xz", "--decompress", "--stdout", "--threads=0", *limit], path)

    @classmethod
    def zstd(cls, path: Path) -> contextlib.AbstractContextManager[Program]:
        """Zstandard, with windows as large as its `--ultra` makes them."""
        return cls.of(["zstd", "--decompress", "--stdout", "--quiet", "--memory=128MB"], path)

    def readinto(self, buffer: memoryview, /) -> int:
        """Bytes put at the buffer's beginning; 0 at the end.

        Raises
        ------
        OSError
            The program failed.
        """
        assert self._process.stdout is not None
        count = self._process.stdout.readinto(buffer)  # type: ignore[attr-defined]
        if count == 0 and self._process.wait() != 0:
            self._said.seek(0)
            words = self._said.read(2000).decode(errors="replace").strip()
            raise OSError(words or f"{self._argv[0]} ended with {self._process.returncode}")
        return int(count)


@cache
def _xz_version() -> tuple[int, ...]:
    done = subprocess.run(["xz", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if found else (0,)
