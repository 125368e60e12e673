"""What hosts are brought: Spark's own tree, as its makers publish it for Python."""

from __future__ import annotations

from collections.abc import Iterable

from ...artifact import Artifact, PythonPackage
from .. import LIBRARY
from .config import Config

#: A link to the tree of the version that is at work: an upgrade turns it.
HOME = f"{LIBRARY}/spark"

#: From the source archive's own setup.py: what it calls ``deps/jars`` is the ``jars`` of a Spark that runs.
_PLACES = (
    ("deps/jars", "jars"),
    ("deps/bin", "bin"),
    ("deps/sbin", "sbin"),
    ("deps/licenses", "licenses"),
    ("pyspark", "python/pyspark"),
    ("lib", "python/lib"),
    ("LICENSE", "LICENSE"),
    ("NOTICE", "NOTICE"),
)

#: For Windows, for R, for images, and a shell in Scala over Spark Connect (61 MB): nothing that runs here.
_WITHOUT = ("*.cmd", "bin/sparkR", "bin/docker-image-tool.sh", "bin/spark-connect-shell", "jars/connect-repl/*")

#: Version → SHA-256 and bytes of the source archive as the index itself lists it, and bytes of what is in it.
_ARCHIVES = {
    "4.1.4": ("bcbd5e18690cf79d438e97210ad06fb8d451a251bb77becc2b0418868d2acd73", 455_600_000, 500_000_000),
    "4.2.1": ("d79b7c8ee41e66a9202fe6f600ca90b931ca571ae9dbdf31c58d2672e5102da0", 449_997_486, 492_000_000),
}


def home(version: str) -> str:
    """Where the tree of one version lies on a host, so that two can be there while one takes over."""
    return f"{LIBRARY}/spark-{version}"


def tree(version: str) -> Artifact:
    """The tree of a version; the same for every architecture: what is not Java in it holds programs for all of them."""
    sha256, size, unpacked = _ARCHIVES[version]
    source = PythonPackage(
        package="pyspark",
        version=version,
        sha256=sha256,
        size=size,
        unpacked=unpacked,
        places=_PLACES,
        without=_WITHOUT,
    )
    return Artifact(name="spark/tree", version=version, architecture="all", source=source)


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[Artifact, ...]:
    """All that hosts of any architecture are brought."""
    return (tree(config.version),)
