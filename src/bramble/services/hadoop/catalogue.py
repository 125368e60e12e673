"""What hosts are brought: Hadoop's libraries as its makers publish them for Maven, and commands of ours around them."""

from __future__ import annotations

from collections.abc import Iterable

from ...artifact import Artifact, MavenTree
from ...runner.steps.tree import NOTE
from .. import LIBRARY
from .config import VERSIONS, Config
from .text import folder, text

#: The name by which everything speaks of the version in use.
HOME = f"{LIBRARY}/hadoop"

#: What is another file when the tree is another.
MARK = f"{HOME}/{NOTE}"

#: Commands on every host's path.
COMMANDS = ("hadoop", "hdfs", "mapred", "yarn")

#: Programs to try it with. Those of 3.5.0 are not published; these run on it.
EXAMPLES = f"{HOME}/examples/hadoop-mapreduce-examples-3.4.2.jar"


def home(version: str) -> str:
    """Where the tree of a version lies on a host."""
    return f"{HOME}-{version}"


def tests(version: str) -> str:
    """The library with TestDFSIO. It brings a configuration of its own for the log, so it lies apart."""
    return f"{HOME}/tests/hadoop-mapreduce-client-jobclient-{version}-tests.jar"


def tree(version: str) -> Artifact:
    """The libraries of a version, with its commands and what they need beside them."""
    newest = VERSIONS[-1]
    return Artifact(
        name="hadoop/tree",
        version=version,
        architecture="all",
        source=MavenTree(
            pom=folder("maven", "pom.xml").replace(f"version>{newest}</hadoop", f"version>{version}</hadoop"),
            sums=folder("maven", f"jars-{version}.sha256"),
            apart=(
                (EXAMPLES.rpartition("/")[2], "examples"),
                (tests(version).rpartition("/")[2], "tests"),
            ),
            # The web pages of HDFS are published with its tests alone; its daemons do not start without them.
            unpacked=((f"hadoop-hdfs-{version}-tests.jar", ("webapps", "web/webapps")),),
            files=(
                *((f"bin/{command}", text("launch.sh")) for command in COMMANDS),
                ("etc/log4j.properties", text("log4j.properties")),
                ("etc/capacity-scheduler.xml", text("capacity-scheduler.xml")),
            ),
        ),
    )


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[Artifact, ...]:
    """The same for every architecture: libraries with machine code in them hold it for all."""
    return (tree(config.version),)
