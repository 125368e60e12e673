"""How each kind of source is had: one module for each, which offers `alike` and `bring`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Protocol, cast

from ...artifact import Artifact, Download, GoProgram, MavenTree, PythonPackage, Source


class Way(Protocol):
    """What such a module offers."""

    def alike(self, artifact: Artifact) -> Hashable:
        """Artifacts for which this is equal are brought in one go."""

    async def bring(self, wanted: list[Artifact], folder: Path, tell: Callable[[str], None]) -> list[Path]:
        """Have artifacts that are alike.

        Parameters
        ----------
        folder
            To work in. It goes away afterwards, unless files named ``*.part`` are left in it: then it is the same
            next time, and the module can go on with them.
        tell
            Told what is going on. Words that begin with ``downloading`` are shown only where a line is redrawn.

        Returns
        -------
        list
            Files in the order of ``wanted``. They are moved away, so each must be a file of its own in ``folder``.

        Raises
        ------
        BrambleError
            It cannot be had. The artifact's name is put before the message.
        """


#: Kind of source → the module of this package that has it. By name: each is imported when it is first wanted, because
#: what they are made with takes its time to load.
WAYS: Mapping[type[Source], str] = {
    GoProgram: "golang",
    Download: "download",
    MavenTree: "maven",
    PythonPackage: "python",
}


def way_of(source: Source) -> Way:
    """How this is had."""
    return cast(Way, importlib.import_module(f".{WAYS[type(source)]}", __package__))
