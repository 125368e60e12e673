"""Prints the name of each worker that the master knows, as soon as all are there or the time is over.

Arguments: the master's page, seconds, and NAME=ADDRESS for each worker.
"""

import json
import sys
import time
import urllib.request

url, deadline = sys.argv[1], time.monotonic() + float(sys.argv[2])
wanted = dict(place.split("=") for place in sys.argv[3:])
# Whatever proxy the environment names: these hosts are not behind it.
ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
states, fault = {}, "the master does not know it"
while True:
    try:
        with ask(url, timeout=5) as answer:
            found = json.load(answer)["workers"]
        # The same one may be there as dead, too, from before it started anew.
        states = {one["host"]: one["state"] for one in sorted(found, key=lambda one: one["state"] == "ALIVE")}
    except (OSError, ValueError) as error:
        states, fault = {}, f"the master does not answer: {error}"
    missing = [name for name, address in wanted.items() if states.get(address) != "ALIVE"]
    if not missing or time.monotonic() > deadline:
        break
    time.sleep(0.5)
for name, address in wanted.items():
    if name in missing:
        sys.stderr.write(f"{name}: {states.get(address, fault)}\n")
    else:
        sys.stdout.write(f"{name}\n")
