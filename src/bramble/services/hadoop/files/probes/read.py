"""Reads the file in the folder of this name."""

import sys

from .hadoop import content, finish, hadoop

came = hadoop("hdfs", "dfs", "-cat", f"{sys.argv[1]}/file")
finish(came == content(), "as it was written", f"{len(came)} bytes that were not written")
