"""Has all copies that some hosts keep made on others ("leave"), or tells whether that is done ("gone").

What is wanted comes on standard input, as leave.py writes it.
"""

import json
import re
import subprocess
import sys
import time
import urllib.request

#: Files of Hadoop's own, such as the records of jobs, and what a proof left that was cut off: fewer copies will do.
PROOFS = ("/tmp/bramble-verify", "/tmp/bramble-verify-sort", "/tmp/bramble-verify-io")  # noqa: S108
OWN = ("/tmp/hadoop-yarn", "/app-logs", "/mr-history", *PROOFS)  # noqa: S108

asked = json.load(sys.stdin)
going: dict[str, str] = asked["going"]  # name → what bramble calls it
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def run(user: str, *words: str) -> str:
    """What a command printed."""
    done = subprocess.run(["runuser", "-u", user, "--", *words], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        sys.exit(f"{' '.join(words[:3])}: {said[-1]}")
    return done.stdout.decode(errors="replace")


def states() -> tuple[dict[str, str], int]:
    """What the NameNode says of each host, and how many parts of files are nowhere to be had."""
    url = f"http://{asked['manager']}:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo"
    try:
        with opener.open(url, timeout=10) as answer:
            bean = json.load(answer)["beans"][0]
    except OSError as error:
        sys.exit(f"the NameNode does not answer: {error}\nhint: journalctl -u hadoop-namenode")
    found = {}
    for name, node in json.loads(bean["DeadNodes"]).items():
        found[name.split(":")[0]] = "Decommissioned" if node.get("decommissioned") else "lost"
    for name, node in json.loads(bean["LiveNodes"]).items():
        found[name.split(":")[0]] = node["adminState"]
    # One that it never heard of keeps nothing.
    return {name: found.get(name, "Decommissioned") for name in going}, int(bean["NumberOfMissingBlocks"])


def wanting_more(copies: int) -> list[str]:
    """Files of people's that want more copies than this many; Hadoop's own are made content with as many."""
    found, own = [], set()
    for line in run("hdfs", "hdfs", "fsck", "/", "-files", "-blocks").splitlines():
        match = re.match(r"(/.*) \d+ bytes, replicated: replication=(\d+),", line)
        if match and int(match[2]) > copies:
            place = next((place for place in OWN if match[1].startswith(f"{place}/")), None)
            if place:
                own.add(place)
            else:
                found.append(match[1])
    for place in sorted(own):
        run("hdfs", "hdfs", "dfs", "-setrep", "-R", str(copies), place)
    return found


def refuse_too_few(copies: int) -> None:
    """End where files want more copies than there would be hosts: their parts would be waited for without end."""
    found = wanting_more(copies)
    if found:
        more = f" and {len(found) - 2} more" if len(found) > 2 else ""
        sys.exit(
            f"{', '.join(found[:2])}{more} must lie on more hosts than would be left ({copies}), so nothing was begun\n"
            f"hint: add a host first: bramble scale hadoop --add HOST; or, where fewer copies will do, on the manager: "
            f"sudo -u hdfs hdfs dfs -setrep -w {copies} /"
        )


def begin() -> None:
    """Tell both daemons that command who leaves."""
    with open(asked["file"]) as file:
        names = sorted({*file.read().split(), *going})
    with open(asked["file"], "w") as file:
        file.write("".join(f"{name}\n" for name in names))
    run("hdfs", "hdfs", "dfsadmin", "-refreshNodes")
    if asked["jobs"]:
        run("yarn", "yarn", "rmadmin", "-refreshNodes")


def wait() -> None:
    """Until all is copied. A host that does not answer is waited for by nobody: its copies are made from others."""
    ends = time.monotonic() + asked["deadline"]
    while True:
        now, missing = states()
        waits = sorted(going[name] for name, state in now.items() if state not in ("Decommissioned", "lost"))
        if not waits:
            break
        if time.monotonic() > ends:
            sys.exit(
                f"what {', '.join(waits)} keeps was not copied within {asked['deadline']:.0f} s; it stays as it is, "
                "and no new files come there\nhint: is there room on the others (hdfs dfsadmin -report)? The same "
                "again waits on; longer: bramble deploy hadoop --set leave_deadline=SECONDS"
            )
        time.sleep(2)
    lost = sorted(going[name] for name, state in now.items() if state == "lost")
    if lost and missing:
        sys.exit(
            f"{', '.join(lost)} does not answer, and {missing} parts of files lie nowhere else\n"
            "hint: bring it back first; which ones: sudo -u hdfs hdfs fsck / -list-corruptfileblocks"
        )


if sys.argv[1] == "gone":
    with open(asked["file"]) as file:
        listed = set(file.read().split())
    sys.exit(0 if set(going) <= listed and set(states()[0].values()) <= {"Decommissioned"} else 1)
if asked["staying"] < asked["copies"]:
    refuse_too_few(asked["staying"])
begin()
wait()
