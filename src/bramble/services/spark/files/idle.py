"""Waits until no program runs.

Arguments: ``wait``, or ``ask`` whether that is so; the master's page; the seconds that it may take.
"""

import json
import sys
import time
import urllib.request

verb, page, seconds = sys.argv[1:4]
# Whatever proxy the environment names: these hosts are not behind it.
ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
deadline = time.monotonic() + (float(seconds) if verb == "wait" else 0)
while True:
    try:
        with ask(f"{page}/json/", timeout=10) as answer:
            programs = [f"{one['name']} of {one['user']}" for one in json.load(answer)["activeapps"]]
    except OSError:
        break  # a master that is away has nothing that could be disturbed
    # What serves people at all times is started again in the new version.
    left = [program for program in programs if program != "Spark Connect of spark"]
    if not left:
        break
    if time.monotonic() >= deadline:
        sys.stdout.write("Nothing was changed. Wait or end these programs, then run the same command again.\n")
        sys.exit(f"after {seconds} s there runs still: {', '.join(left)}")
    time.sleep(0.5)
