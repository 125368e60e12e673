"""Has the words of some texts counted by a job, and counts them itself.

Arguments: a folder that is there, the jar with the job.
"""

import collections
import random
import sys

from .hadoop import finish, hadoop

WORDS = ("bramble", "berry", "thorn", "leaf", "root", "cane")

# Another text each time, so that no answer of an earlier time does.
texts = [[random.choice(WORDS) for _ in range(20_000)] for _ in range(2)]  # noqa: S311
folder, examples = sys.argv[1:3]
mark = f"{random.getrandbits(32):08x}"  # what an earlier run left is not in the way
for number, words in enumerate(texts):
    lines = "\n".join(" ".join(words[begin : begin + 10]) for begin in range(0, len(words), 10)) + "\n"
    hadoop("hdfs", "dfs", "-put", "-", f"{folder}/text-{mark}-{number}", given=lines.encode())
hadoop("yarn", "jar", examples, "wordcount", f"{folder}/text-{mark}-*", f"{folder}/counts-{mark}")
came = hadoop("hdfs", "dfs", "-cat", f"{folder}/counts-{mark}/part-*").decode()
counted = dict(line.split("\t") for line in came.splitlines())
known = {word: str(count) for word, count in collections.Counter(texts[0] + texts[1]).items()}
finish(counted == known, "each word was counted", f"it counted {counted}, and there are {known}")
