"""Prints what the master knows, as JSON for `Look`: its workers and the programs that run.

Arguments: the master's page, and NAME=ADDRESS for each worker.
"""

import json
import sys
import time
import urllib.request

page = sys.argv[1]
wanted = dict(place.split("=") for place in sys.argv[2:])
# Whatever proxy the environment names: these hosts are not behind it.
ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
try:
    with ask(f"{page}/json/", timeout=10) as answer:
        told = json.load(answer)
except (OSError, ValueError) as error:
    sys.exit(f"the master does not answer: {error}")
# The same one may be there as dead, too, from before it started anew.
known = {one["host"]: one for one in sorted(told["workers"], key=lambda one: one["state"] == "ALIVE")}
names = {address: name for name, address in wanted.items()}
workers = []
for address in {**names, **known}:
    one = known.get(address)
    row = {"worker": names.get(address, address), "state": one["state"].lower() if one else "unknown to the master"}
    row["processors"] = f"{one['coresused']} of {one['cores']}" if one else ""
    row["memory"] = f"{one['memoryused']} of {one['memory']} MiB" if one else ""
    workers.append(row)
programs = [
    {
        "program": one["name"],
        "of": one["user"],
        "state": one["state"].lower(),
        "processors": str(one["cores"]),
        "each has": f"{one['memoryperslave']} MiB",
        "since": time.strftime("%Y-%m-%d %H:%M", time.localtime(one["starttime"] / 1000)),
    }
    for one in told["activeapps"]
]
json.dump({"Workers": workers, **({"Programs": programs} if programs else {})}, sys.stdout)
