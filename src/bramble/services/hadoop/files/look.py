"""Tell of Hadoop: title → rows, as JSON. What is wanted comes on standard input, as look.py of the room writes it."""

import json
import sys
from typing import Any
from urllib.request import ProxyHandler, build_opener

GB = 10**9

asked = json.load(sys.stdin)
opener = build_opener(ProxyHandler({}))


def ask(path: str) -> Any:
    """What a daemon of the manager's answers."""
    try:
        with opener.open(f"http://{asked['manager']}:{path}", timeout=10) as answer:
            return json.load(answer)
    except OSError as error:
        who = "NameNode" if path.startswith("9870") else "ResourceManager"
        sys.exit(f"the {who} does not answer: {error}")


def bean(name: str) -> Any:
    """What the NameNode says of itself."""
    return ask(f"9870/jmx?qry=Hadoop:service=NameNode,name={name}")["beans"][0]


def hosts(info: Any) -> "list[dict[str, str]]":
    """What each keeps and does."""
    keeping = {name.split(":")[0]: one for name, one in json.loads(info["LiveNodes"]).items()}
    lost = {name.split(":")[0] for name in json.loads(info["DeadNodes"])}
    working = {}
    if asked["jobs"]:
        nodes = (ask("8088/ws/v1/cluster/nodes")["nodes"] or {}).get("node", [])
        working = {one["nodeHostName"]: one for one in nodes}
    rows = []
    for name, host in asked["hosts"].items():
        row = {"host": host, "files": "lost" if name in lost else "never heard of"}
        if name in keeping:
            one = keeping[name]
            full = f"{one['usedSpace'] / GB:.1f} GB kept, room for {one['remaining'] / GB:.1f}"
            row["files"] = full if one["adminState"] == "In Service" else f"{one['adminState']}: {full}"
        if asked["jobs"]:
            task = working.get(name)
            row["tasks"] = task["state"].lower() if task else "never heard of"
            if task and task["state"] == "RUNNING":
                whole = task["usedMemoryMB"] + task["availMemoryMB"]
                row["tasks"] = f"{task['numContainers']}, in {task['usedMemoryMB']} of {whole} MB"
        rows.append(row)
    return rows


def files(info: Any) -> "list[dict[str, str]]":
    """How many there are, and what they lack."""
    state = bean("FSNamesystemState")
    waits, missing = state["UnderReplicatedBlocks"], info["NumberOfMissingBlocks"]
    troubles = [f"{missing} parts lie nowhere"] if missing else []
    troubles += [f"{waits} parts lie on fewer hosts than they should"] if waits else []
    troubles += ["nothing can be written yet (safe mode)"] if info["Safemode"] else []
    return [
        {
            "files and folders": str(state["FilesTotal"]),
            "kept, with all copies": f"{info['Used'] / GB:.1f} of {info['Total'] / GB:.1f} GB",
            "state": "; ".join(troubles) or "whole",
        }
    ]


def jobs() -> "list[dict[str, str]]":
    """Those that run or wait."""
    found = (ask("8088/ws/v1/cluster/apps?states=NEW,SUBMITTED,ACCEPTED,RUNNING")["apps"] or {}).get("app", [])
    return [
        {
            "job": one["id"],
            "name": one["name"],
            "user": one["user"],
            "state": f"{one['state'].lower()}, {one['progress']:.0f} %",
        }
        for one in found
    ] or [{"job": "none"}]


def pages() -> "list[dict[str, str]]":
    """Where a browser finds it."""
    ports = [("files", 9870), *([("jobs", 8088), ("jobs that ended", 19888)] if asked["jobs"] else [])]
    return [{"web page": what, "where": f"http://{asked['address']}:{port}"} for what, port in ports]


info = bean("NameNodeInfo")
told = {"Hosts": hosts(info), "Files": files(info)}
if asked["jobs"]:
    told["Jobs"] = jobs()
json.dump({**told, "Pages": pages()}, sys.stdout)
