"""Has the words of each host's text counted by a job, counts them itself, and asks which host did a task of it.

Arguments: the jar with the job; the names of the hosts. Prints each name whose host did its part.
"""

import collections
import json
import re
import sys
import time
from typing import Any

from .hadoop import WORDS, files, finish, folder, hadoop, manager, web

#: Jobs until each host must have had a task: one that is busy with others' may be passed over.
ROUNDS = 3

#: Seconds until a job that ended is in the history.
WRITTEN = 20.0

examples, *names = sys.argv[3:]


def listed(found: Any) -> "list[Any]":
    """One that is alone comes without its list."""
    return found if isinstance(found, list) else [found]


def history(path: str) -> Any:
    """What is known of a job that ended."""
    return json.loads(web("GET", f"http://{manager}:19888/ws/v1/history/mapreduce/jobs/{path}"))


def count(number: int, hosts: "list[str]") -> str:
    """Have the texts of these hosts counted; compare with what is in them, and return the job's name."""
    texts = [f"{folder}/text-{name}" for name in hosts]
    _, said = hadoop("yarn", "jar", examples, "wordcount", *texts, f"{folder}/counts-{number}")
    came = files("GET", f"{folder}/counts-{number}/part-r-00000", "OPEN").decode()
    counted = {word: int(times) for word, times in (line.split("\t") for line in came.splitlines())}
    known = collections.Counter(b" ".join(files("GET", text, "OPEN") for text in texts).decode().split())
    right = counted == known and sum(known.values()) == WORDS * len(hosts)
    if not right:
        sys.exit(f"it counted {counted}, and there are {dict(known)}")
    found = re.search(r"Running job: (job_\w+)", said)
    return found[1] if found else sys.exit(f"no job was begun: {said[-200:]}")


def attempts(job: str) -> "dict[str, str]":
    """Host → what went wrong with a task there; nothing, mostly."""
    ends = time.monotonic() + WRITTEN
    while not any(one["id"] == job for one in listed((history("")["jobs"] or {}).get("job", []))):
        if time.monotonic() > ends:
            sys.exit(f"{job} ended, and is not in the history")
        time.sleep(0.5)
    found: dict[str, str] = {}
    for task in listed(history(f"{job}/tasks")["tasks"]["task"]):
        for one in listed(history(f"{job}/tasks/{task['id']}/attempts")["taskAttempts"]["taskAttempt"]):
            host = one["nodeHttpAddress"].partition(":")[0]
            if one["state"] == "FAILED":
                found[host] = f"one failed: {' '.join(one['diagnostics'].split())[:200]}"
            elif one["state"] == "SUCCEEDED":
                found.setdefault(host, "")
    return found


did: "dict[str, str]" = {}
for number in range(ROUNDS):
    waiting = [name for name in names if did.get(name, "none")]
    if not waiting or any(did.values()):
        break
    did.update(attempts(count(number, waiting)))
for name in names:
    if did.get(name, "none came there"):
        sys.stderr.write(f"{name}: {did.get(name, 'none came there')}\n")
    else:
        sys.stdout.write(f"{name}\n")
finish(True, "each word was counted", "")
