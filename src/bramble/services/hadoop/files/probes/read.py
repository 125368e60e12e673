"""Reads the file with the command that people have."""

from .hadoop import content, finish, folder, hadoop

came, _ = hadoop("hdfs", "dfs", "-cat", f"{folder}/file")
finish(came == content(), "as it was written", f"{len(came)} bytes that were not written")
