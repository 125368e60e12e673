"""Begins or ends a rolling upgrade of HDFS, or tells whether that is done.

Arguments: begin, begin-done, end or end-done; the manager's name. Between both, DataNodes keep what is deleted, and the
NameNode the names of before.
"""

import json
import subprocess
import sys
from typing import Any
from urllib.request import ProxyHandler, build_opener

verb, manager = sys.argv[1:]
opener = build_opener(ProxyHandler({}))
url = f"http://{manager}:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo"


def known() -> Any:
    """What the NameNode says of itself."""
    with opener.open(url, timeout=10) as answer:
        return json.load(answer)["beans"][0]


def done() -> bool:
    """Whether it is as it should be."""
    status = known().get("RollingUpgradeStatus")
    return bool(status and status["createdRollbackImages"]) if verb.startswith("begin") else not status


if verb.endswith("-done"):
    sys.exit(0 if done() else 1)
missing = known()["NumberOfMissingBlocks"]
if verb == "begin" and missing:
    sys.exit(
        f"{missing} parts of files are nowhere to be had, so nobody could tell what an upgrade did to them\n"
        "hint: which ones: sudo -u hdfs hdfs fsck / -list-corruptfileblocks"
    )


def admin(*words: str) -> None:
    """Have the NameNode do something."""
    command = ["runuser", "-u", "hdfs", "--", "hdfs", "dfsadmin", *words]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        sys.exit(f"hdfs dfsadmin {' '.join(words)}: {(said.stderr.strip().splitlines() or ['it said nothing'])[-1]}")


if verb == "begin":
    # With one NameNode, names are kept while nobody writes.
    admin("-safemode", "enter")
    try:
        admin("-rollingUpgrade", "prepare")
    finally:
        admin("-safemode", "leave")
else:
    admin("-rollingUpgrade", "finalize")
if not done():
    sys.exit("HDFS was told, and does not say that it is done")
