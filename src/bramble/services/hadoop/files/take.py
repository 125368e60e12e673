"""Waits until the daemons of this host do their work in a version ("take"), or tells whether they do ("taken").

Where they do not within the time they have, or die again and again, this host goes back to the version before. What is
wanted comes on standard input, as upgrade.py writes it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import ProxyHandler, build_opener

#: Starts of a daemon after which there is no hope.
STARTS = 3

asked = json.load(sys.stdin)
manager, name, home = asked["manager"], asked["name"], asked["home"]
opener = build_opener(ProxyHandler({}))


def ask(path: str) -> Any:
    """What a daemon of the manager's answers."""
    with opener.open(f"http://{manager}:{path}", timeout=10) as answer:
        return json.load(answer)


def bean(port: int, service: str) -> Any:
    """What a daemon of HDFS says of itself."""
    return ask(f"{port}/jmx?qry=Hadoop:service={service},name={service}Info")["beans"][0]


def keeping() -> "dict[str, str]":
    """Host → version, as the NameNode hears of those that keep files."""
    live = json.loads(bean(9870, "NameNode")["LiveNodes"])
    return {host.split(":")[0]: one["version"] for host, one in live.items() if one["lastContact"] < 15}


def namenode() -> str:
    """Its version, once files can be written, and each host that keeps some is heard of."""
    found = bean(9870, "NameNode")
    if found["Safemode"]:
        return "not open for writing yet"
    silent = sorted(set(asked["working"]) - set(keeping()))
    return f"{', '.join(silent)} not heard of" if silent else str(found["SoftwareVersion"])


def nodemanager() -> str:
    """Its version, as the ResourceManager hears of it."""
    nodes = (ask("8088/ws/v1/cluster/nodes")["nodes"] or {}).get("node", [])
    return next((str(one["version"]) for one in nodes if (one["nodeHostName"], one["state"]) == (name, "RUNNING")), "")


VERSIONS: "dict[str, Callable[[], str]]" = {
    "namenode": namenode,
    "secondarynamenode": lambda: str(bean(9868, "SecondaryNameNode")["SoftwareVersion"]),
    "datanode": lambda: keeping().get(name, ""),
    "resourcemanager": lambda: str(ask("8088/ws/v1/cluster/info")["clusterInfo"]["hadoopVersion"]),
    "nodemanager": nodemanager,
    "historyserver": lambda: str(ask("19888/ws/v1/history/info")["historyInfo"]["hadoopVersion"]),
}


def wrong(version: str) -> "Iterator[tuple[str, str]]":
    """Each daemon that does not do its work in this version, and what it does."""
    for daemon in asked["daemons"]:
        try:
            found = VERSIONS[daemon]()
        except (OSError, LookupError, ValueError) as error:
            found = f"no answer, {error}"
        if found != version:
            yield daemon, found or "nothing was heard of it"


def dies() -> str:
    """A daemon that ends whenever it is started."""
    for daemon in asked["daemons"]:
        words = ["systemctl", "show", "--value", "--property=NRestarts", f"hadoop-{daemon}"]
        if int(subprocess.run(words, capture_output=True, text=True, check=False).stdout or 0) >= STARTS:
            return str(daemon)
    return ""


def settle(version: str) -> "list[tuple[str, str]]":
    """Wait until all do their work; what is wrong otherwise."""
    ends = time.monotonic() + asked["patience"]
    while True:
        found = list(wrong(version))
        dead = dies() if found else ""
        if not found or dead or time.monotonic() > ends:
            return [(dead, "it ends whenever it is started")] if dead else found
        time.sleep(1)


def go_back() -> None:
    """Have the daemons of before run again."""
    os.symlink(f"{home}-{asked['before']}", f"{home}.before")
    os.replace(f"{home}.before", home)
    units = [f"hadoop-{daemon}" for daemon in asked["daemons"]]
    subprocess.run(["systemctl", "reset-failed", *units], capture_output=True, check=False)
    subprocess.run(["systemctl", "restart", *units], check=False)


if sys.argv[1] == "taken":
    sys.exit(1 if any(wrong(asked["version"])) else 0)
trouble = settle(asked["version"])
if trouble:
    daemon, what = trouble[0]
    log = ["journalctl", "--unit", f"hadoop-{daemon}", "--no-pager", "--lines=8", "--output=cat"]
    sys.stdout.write(subprocess.run(log, capture_output=True, text=True, check=False).stdout)
    go_back()
    again = "" if not settle(asked["before"]) else ", and it does not do its work there either"
    sys.exit(
        f"hadoop-{daemon} does not work in version {asked['version']} ({what}), so this host went back to "
        f"{asked['before']}{again}\nhint: journalctl -u hadoop-{daemon}; then the same again goes on with the upgrade"
    )
