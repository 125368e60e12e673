"""What hosts are brought: Hadoop's libraries as its makers publish them for Maven, and commands of ours around them."""

from __future__ import annotations

from collections.abc import Iterable

from ...artifact import Artifact, MavenTree
from .config import Config
from .text import folder, text

VERSION = "3.5.0"

LIBRARY = "/usr/local/lib/bramble"

#: Where the tree of one version lies on a host, and the name by which everything speaks of the one in use.
TREE_PATH, HOME = f"{LIBRARY}/hadoop-{VERSION}", f"{LIBRARY}/hadoop"

#: What is another file when the tree is another.
MARK = f"{HOME}/.bramble-tree"

#: Commands on every host's path.
COMMANDS = ("hadoop", "hdfs", "mapred", "yarn")

#: Programs to try it with. Those of 3.5.0 are not published; these run on it.
EXAMPLES = f"{HOME}/examples/hadoop-mapreduce-examples-3.4.2.jar"

_TESTS = f"hadoop-mapreduce-client-jobclient-{VERSION}-tests.jar"

TREE = Artifact(
    name="hadoop/tree",
    version=VERSION,
    architecture="all",
    source=MavenTree(
        pom=folder("maven", "pom.xml"),
        sums=folder("maven", "jars.sha256"),
        apart=((EXAMPLES.rpartition("/")[2], "examples"), (_TESTS, "tests")),
        # The web pages of HDFS are published with its tests alone; its daemons do not start without them.
        unpacked=((f"hadoop-hdfs-{VERSION}-tests.jar", ("webapps", "web/webapps")),),
        files=(
            *((f"bin/{command}", text("launch.sh")) for command in COMMANDS),
            ("etc/log4j.properties", text("log4j.properties")),
            ("etc/capacity-scheduler.xml", text("capacity-scheduler.xml")),
        ),
    ),
)


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[Artifact, ...]:
    """The same for every architecture: libraries with machine code in them hold it for all."""
    return (TREE,)
