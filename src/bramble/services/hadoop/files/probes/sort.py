"""Has rows made, sorted and looked at by jobs; sums them up itself. Arguments: the jar with the jobs, how many rows."""

import json
import sys
import zlib

from .hadoop import files, finish, folder, forget, hadoop

#: Bytes of a row.
ROW = 100

examples, rows = sys.argv[3:5]


def sum_of(place: str) -> int:
    """What the job that looks should find: the sum over all rows, whatever their order, read here one by one."""
    total = count = 0
    for part in json.loads(files("GET", place, "LISTSTATUS"))["FileStatuses"]["FileStatus"]:
        if part["pathSuffix"].startswith("part-"):
            data = files("GET", f"{place}/{part['pathSuffix']}", "OPEN")
            for begin in range(0, len(data), ROW):
                total, count = total + zlib.crc32(data[begin : begin + ROW]), count + 1
    if count != int(rows):
        sys.exit(f"{count} rows were made, not {rows}")
    return total


forget(folder)
for job, *places in (("teragen", rows, "made"), ("terasort", "made", "sorted"), ("teravalidate", "sorted", "looked")):
    hadoop("yarn", "jar", examples, job, *(place if place == rows else f"{folder}/{place}" for place in places))
looked = [line.split() for line in files("GET", f"{folder}/looked/part-r-00000", "OPEN").decode().splitlines()]
total = sum_of(f"{folder}/made")
forget(folder)
right = len(looked) == 1 and looked[0][0] == "checksum" and int(looked[0][-1], 16) == total
finish(right, "sorted", f"it found {looked}, and the sum of what was made is {total:x}")
