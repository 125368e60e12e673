"""What hosts are brought: Spark's own tree, as its makers publish it for Python."""

from __future__ import annotations

from collections.abc import Iterable

from ...artifact import Artifact, PythonPackage
from .config import Config

VERSION = "4.2.1"

#: Where it lies on each host.
HOME = f"/usr/local/lib/bramble/spark-{VERSION}"

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

TREE = Artifact(
    name="spark/tree",
    version=VERSION,
    architecture="all",
    source=PythonPackage(
        package="pyspark",
        version=VERSION,
        # As the index itself lists it.
        sha256="d79b7c8ee41e66a9202fe6f600ca90b931ca571ae9dbdf31c58d2672e5102da0",
        size=449_997_486,
        unpacked=492_000_000,
        places=_PLACES,
        without=_WITHOUT,
    ),
)


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[Artifact, ...]:
    """The same for every architecture: what is not Java in it holds programs for all of them."""
    return (TREE,)
