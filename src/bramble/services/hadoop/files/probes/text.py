"""Writes a text that lies on this host alone, so that its words are best counted here. Argument: this host's name."""

import random
import sys

from .hadoop import WORDS, finish, folder, write

PLANTS = ("bramble", "berry", "thorn", "leaf", "root", "cane")

# Another text each time, so that no answer of an earlier time does.
words = [random.choice(PLANTS) for _ in range(WORDS)]  # noqa: S311
lines = "\n".join(" ".join(words[begin : begin + 10]) for begin in range(0, len(words), 10)) + "\n"
write(f"{folder}/text-{sys.argv[3]}", lines.encode(), replication=1)
finish(True, "written", "")
