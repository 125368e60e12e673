"""Has rows made, sorted and looked at by jobs. Arguments: the jar with the jobs, how many rows."""

import sys

from .hadoop import files, finish, folder, forget, hadoop

examples, rows = sys.argv[3:5]


def job(name: str, *words: str) -> None:
    """Do one."""
    hadoop("yarn", "jar", examples, name, *words)


def told(place: str) -> list[list[str]]:
    """What a job found: the sum over all rows, and any that are not in order."""
    return [line.split() for line in files("GET", f"{place}/part-r-00000", "OPEN").decode().splitlines()]


forget(folder)
job("teragen", rows, f"{folder}/made")
job("terasort", f"{folder}/made", f"{folder}/sorted")
job("teravalidate", f"{folder}/sorted", f"{folder}/looked")
job("terachecksum", f"{folder}/made", f"{folder}/sum")
looked, summed = told(f"{folder}/looked"), told(f"{folder}/sum")
forget(folder)
same = looked[:1] and looked[0][0] == "checksum" and looked[0][-1] == summed[0][-1]
finish(bool(same) and len(looked) == 1, "sorted", f"it found {looked}, and the sum of what was made is {summed}")
