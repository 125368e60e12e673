"""Writes the file into the folder of this name."""

import sys

from .hadoop import content, finish, hadoop

folder = sys.argv[1]
hadoop("hdfs", "dfs", "-mkdir", "-p", folder)
hadoop("hdfs", "dfs", "-put", "-f", "-", f"{folder}/file", given=content())
finish(True, "written", "")
