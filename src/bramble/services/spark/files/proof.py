"""Work whose answers are known apart from Spark: pi, and a word count of which every host must do a part.

Arguments: NAME=ADDRESS for each worker. Runs as a program of Spark.
"""

import collections
import os
import sys
import time
from collections.abc import Iterable, Iterator

from pyspark import SparkContext  # type: ignore[import-not-found]

names = {address: name for name, address in (place.split("=") for place in sys.argv[1:])}
#: Parts of each piece of work: enough for every host to get some, whoever is first.
parts = 2 * len(names)
sc = SparkContext.getOrCreate()
sc.setLogLevel("ERROR")
with open(os.environ["PROGRAM"], "w", encoding="utf-8") as number:
    number.write(sc.applicationId)


def say(text: str) -> None:
    """A line of the answer."""
    sys.stdout.write(f"{text}\n")


def here() -> str:
    """The name of the host that a task runs on: the address that its worker gave to Spark for this program."""
    return names.get(os.environ["SPARK_LOCAL_IP"], os.environ["SPARK_LOCAL_IP"])


def area(number: int, steps: int = 20000) -> float:
    """A part of the area under 4 / (1 + x²) from 0 to 1, which is pi."""
    width = 1.0 / (len(names) * steps)
    first = number * steps
    return sum(4.0 / (1.0 + ((first + i + 0.5) * width) ** 2) for i in range(steps)) * width


say(f"pi is {sc.parallelize(range(len(names)), len(names)).map(area).sum():.5f}")

# Text that is the same each time, counted here with nothing of Spark.
words = [f"word{(7 * i * i + i) % 97}" for i in range(20000)]
lines = [" ".join(words[i : i + 10]) for i in range(0, len(words), 10)]


def write(part: Iterable[str]) -> Iterator[tuple[str, tuple[str, int]]]:
    """The counts of a part, with the host that made them; it takes a moment, so that all hosts get some."""
    time.sleep(0.1)
    counted = collections.Counter(word for line in part for word in line.split())
    return ((word, (here(), count)) for word, count in counted.items())


def read(part: Iterable[tuple[str, tuple[str, int]]]) -> Iterator[tuple[str, str, str, int]]:
    """Each word, the host that it came to, and what came from where."""
    time.sleep(0.1)
    return ((word, here(), writer, count) for word, (writer, count) in part)


def kept() -> str:
    """What comes of lines that are written to Hadoop's files, and read from there."""
    place = f"/tmp/bramble-verify-{sc.applicationId}"  # noqa: S108
    path = sc._jvm.org.apache.hadoop.fs.Path(place)
    try:
        sc.parallelize(lines, len(names)).saveAsTextFile(place)
        same = sorted(sc.textFile(place).collect()) == sorted(lines)
        path.getFileSystem(sc._jsc.hadoopConfiguration()).delete(path, True)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        return f"Hadoop's files: {' '.join(str(error).splitlines()[:2])}"
    return "lines came back from Hadoop's files" if same else "other lines came back from Hadoop's files"


if "HADOOP_CONF_DIR" in os.environ:
    say(kept())
came = sc.parallelize(lines, parts).mapPartitions(write).partitionBy(parts).mapPartitions(read).collect()
sc.stop()

found: "collections.Counter[str]" = collections.Counter()
for word, _, _, count in came:
    found[word] += count
right = collections.Counter(words)
if found == right:
    say("words are as counted apart")
else:
    wrong = sorted(word for word in found.keys() | right.keys() if found[word] != right[word])[:3]
    say("; ".join(f"{word}: {found[word]}, and must be {right[word]}" for word in wrong))
seen = {(reader, writer) for _, reader, writer, _ in came}
for name in sorted({writer for _, writer in seen} & {reader for reader, _ in seen}):
    say(f"{name} took part")
if len(names) > 1:
    for name in sorted({reader for reader, writer in seen if reader != writer}):
        say(f"{name} read what other hosts wrote")
