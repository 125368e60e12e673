"""Prints each host of those on standard input that the manager heard of lately.

Arguments: ``files`` or ``tasks``, what they are for; the manager's name.
"""

import json
import sys
import time
import urllib.request
from typing import Any

#: Bytes of a part of a file: a host with less room gets none.
PART = 128 << 20

#: Seconds to wait for a daemon that has just started, and since when it may have been silent.
PATIENCE, SILENT = 45.0, 15

kind, manager = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str) -> Any:
    """What a daemon of the manager's answers."""
    with opener.open(f"http://{manager}:{url}", timeout=10) as answer:
        return json.load(answer)


def keeping() -> dict[str, str]:
    """What is wrong with each host that keeps files; nothing, mostly."""
    bean = ask("9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo")["beans"][0]
    live, dead = json.loads(bean["LiveNodes"]), json.loads(bean["DeadNodes"])
    found = {name.split(":")[0]: "lost" for name in dead}
    for name, node in live.items():
        state = "" if node["adminState"] == "In Service" else node["adminState"]
        if node["remaining"] < PART:
            state = f"full, with room for {node['remaining'] / 10**6:.0f} MB"
        silent = node["lastContact"]
        found[name.split(":")[0]] = f"silent for {silent} s" if silent > SILENT else state
    return found


def working() -> dict[str, str]:
    """What is wrong with each host that takes tasks; nothing, mostly."""
    nodes = (ask("8088/ws/v1/cluster/nodes")["nodes"] or {}).get("node", [])
    return {
        node["nodeHostName"]: "" if node["state"] == "RUNNING" else node["healthReport"] or node["state"].lower()
        for node in nodes
    }


wanted = json.load(sys.stdin)
ends = time.monotonic() + PATIENCE
while True:
    otherwise = "nothing was heard of it"
    try:
        found = keeping() if kind == "files" else working()
    except OSError as error:
        found, otherwise = {}, f"{manager} itself does not answer, {error}"
    wrong = {name: found.get(name, otherwise) for name in wanted}
    if not any(wrong.values()) or time.monotonic() > ends:
        break
    time.sleep(1)
for name, what in wrong.items():
    if what:
        sys.stderr.write(f"{name}: {what}\n")
    else:
        sys.stdout.write(f"{name}\n")
