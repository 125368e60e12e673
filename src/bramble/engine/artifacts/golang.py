"""Programs that the ordinary Go client builds."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sysconfig
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

from ...artifact import Artifact, GoProgram
from ...errors import BrambleError
from .client import talk

#: Debian's word for an architecture → Go's, and the variant: the oldest Pis have an ARMv6.
ARCHITECTURES = {"arm64": ("arm64", ""), "armhf": ("arm", "6"), "amd64": ("amd64", ""), "riscv64": ("riscv64", "")}

#: Go that fetches a newer one by itself where a module asks for it.
OLDEST = (1, 21)

#: Lines of what Go said that go along with an error.
LOG_LINES = 15


def alike(artifact: Artifact) -> Hashable:
    """Programs of one module share most of their parts, so they are built in one go."""
    program = _program(artifact)
    return (program.files, program.variables, program.static_c, artifact.architecture)


async def bring(wanted: list[Artifact], folder: Path, tell: Callable[[str], None]) -> list[Path]:
    """Build programs of one module, for one architecture, with the same variables, together.

    Parameters
    ----------
    folder
        Where the module and the programs are put.
    tell
        Told what Go is doing.

    Returns
    -------
    list
        The programs' files, in the order of ``wanted``.

    Raises
    ------
    BrambleError
        There is no Go, it is too old, or it failed; with the end of what it said.
    """
    architecture, variant = ARCHITECTURES[wanted[0].architecture]
    program = _program(wanted[0])
    go = await client()
    module, out = folder / "module", folder / "out"
    for name, text in program.files:
        file = module / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    out.mkdir(exist_ok=True)
    link = ["-s", "-w", *(f"-X {name}={value}" for name, value in program.variables)]
    if program.static_c:
        link.append("-extldflags -static")
    environment = {
        **os.environ,
        "GOOS": "linux",
        "GOARCH": architecture,
        "GOARM": variant,
        "CGO_ENABLED": str(int(program.static_c)),
        "GOFLAGS": "",
        "GOWORK": "off",
    }
    words = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", " ".join(link), "-o", f"{out}/"]
    names = ", ".join(one.name.rpartition("/")[2] for one in wanted)
    tell(f"builds {names} for {wanted[0].architecture}")
    await _go([go, *words, *(_program(one).package for one in wanted)], module, environment, tell)
    return [out / name_of(_program(one).package) for one in wanted]


def _program(artifact: Artifact) -> GoProgram:
    assert isinstance(artifact.source, GoProgram)
    return artifact.source


def name_of(package: str) -> str:
    """The name that Go gives to a program: the last word of its path that is no version."""
    words = package.split("/")
    return words[-2] if re.fullmatch(r"v\d+", words[-1]) else words[-1]


async def client() -> str:
    """Where the Go client is: the system's, or the one that the extra ``pi-bramble[go]`` brings.

    Raises
    ------
    BrambleError
        There is none, or none that is new enough.
    """
    old = ""
    for path in (shutil.which("go"), f"{sysconfig.get_path('purelib')}/go/bin/go"):
        if path and os.access(path, os.X_OK):
            process = await asyncio.create_subprocess_exec(
                path, "env", "GOVERSION", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
            version = (await process.communicate())[0].decode().strip().removeprefix("go")
            match = re.match(r"(\d+)\.(\d+)", version)
            if match and (int(match[1]), int(match[2])) >= OLDEST:
                return path
            old = version
    oldest = ".".join(map(str, OLDEST))
    what = f"Go {old} is too old to build programs with" if old else "there is no Go here to build programs with"
    hint = f"install {oldest} or later: pip install 'pi-bramble[go]', or https://go.dev/dl"
    raise BrambleError(what, hint=hint)


async def _go(words: Iterable[str], folder: Path, environment: dict[str, str], tell: Callable[[str], None]) -> None:
    def heard(line: str) -> None:
        if line.startswith("go: downloading "):
            tell(line.removeprefix("go: "))

    status, log = await talk(words, folder, environment, heard)
    if status != 0:
        raise BrambleError("Go could not build it", why="\n".join(log[-LOG_LINES:]))
