"""Has each of some maps write a file and read it again, and weighs what lies there (TestDFSIO).

Arguments: the jar with the job; how many files; MiB of each.
"""

import json
import os
import sys

from .hadoop import files, finish, folder, forget, hadoop

tests, count, size = sys.argv[3:6]
os.environ["HADOOP_CLASSPATH"] = tests
# What it found it would leave in the folder where it was started.
os.chdir("/tmp")  # noqa: S108
words = ("hadoop", "org.apache.hadoop.fs.TestDFSIO", f"-Dtest.build.data={folder}")
forget(folder)
for what in ("-write", "-read"):
    hadoop(*words, what, "-nrFiles", count, "-size", f"{size}MB", "-resFile", "/dev/null")
lie = json.loads(files("GET", f"{folder}/io_data", "LISTSTATUS"))["FileStatuses"]["FileStatus"]
forget(folder)
came = [one["length"] for one in lie]
finish(came == [int(size) << 20] * int(count), "written and read", f"files of {came} bytes lie there")
