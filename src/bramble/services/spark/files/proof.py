"""Work whose answers are known apart from Spark: pi, a word count, and a shuffle of which every host must get a part.

Arguments: NAME=ADDRESS for each worker. Runs as a program of Spark.
"""

import collections
import os
import sys
import time
from collections.abc import Iterable

from pyspark import SparkContext  # type: ignore[import-not-found]

names = {address: name for name, address in (place.split("=") for place in sys.argv[1:])}
#: Parts of each piece of work: enough for every host to get some, whoever is first.
parts = 4 * len(names)
sc = SparkContext.getOrCreate()
sc.setLogLevel("ERROR")


def say(text: str) -> None:
    """A line of the answer."""
    sys.stdout.write(f"{text}\n")


def here() -> str:
    """The name of the host that a task runs on: the address that its worker gave to Spark for this program."""
    return names.get(os.environ["SPARK_LOCAL_IP"], os.environ["SPARK_LOCAL_IP"])


def area(number: int, steps: int = 100000) -> float:
    """A part of the area under 4 / (1 + x²) from 0 to 1, which is pi."""
    width = 1.0 / (parts * steps)
    first = number * steps
    return sum(4.0 / (1.0 + ((first + i + 0.5) * width) ** 2) for i in range(steps)) * width


say(f"pi is {sc.parallelize(range(parts), parts).map(area).sum():.5f}")

# Text that is the same each time, counted here with nothing of Spark.
words = [f"word{(7 * i * i + i) % 97}" for i in range(20000)]
lines = [" ".join(words[i : i + 10]) for i in range(0, len(words), 10)]
counted = sc.parallelize(lines, parts).flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
found, right = dict(counted.collect()), dict(collections.Counter(words))
if found == right:
    say("words are as counted apart")
else:
    wrong = sorted(word for word in found.keys() | right.keys() if found.get(word) != right.get(word))[:3]
    say("; ".join(f"{word}: {found.get(word)}, and must be {right.get(word)}" for word in wrong))


def write(part: Iterable[int]) -> list[tuple[int, str]]:
    """One record for each reader, with the host that wrote it; it takes a moment, so that all hosts get some."""
    time.sleep(0.3)
    return [(reader, here()) for _ in part for reader in range(parts)]


def read(part: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    """Which hosts' records came to this one."""
    time.sleep(0.3)
    return [(here(), writer) for _, writer in part]


pairs = sc.parallelize(range(parts), parts).mapPartitions(write).partitionBy(parts).mapPartitions(read).distinct()
seen = set(pairs.collect())
for name in sorted({writer for _, writer in seen} & {reader for reader, _ in seen}):
    say(f"{name} took part")
if len(names) > 1:
    for name in sorted({reader for reader, writer in seen if reader != writer}):
        say(f"{name} read what other hosts wrote")
sc.stop()
