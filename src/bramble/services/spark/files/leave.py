"""Has workers take nothing new, and waits until what they run has ended or moved on.

Arguments: ``leave``, or ``gone`` to ask whether that is done; the master's page; the seconds that it may take; and
NAME=ADDRESS:PORT for the page of each worker.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

verb, master, seconds = sys.argv[1:4]
places = dict(place.split("=") for place in sys.argv[4:])
addresses = [place.rpartition(":")[0] for place in places.values()]
# Whatever proxy the environment names: these hosts are not behind it.
ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def known() -> "set[str]":
    """Which of these workers the master still gives work."""
    with ask(f"{master}/json/", timeout=10) as answer:
        return {one["host"] for one in json.load(answer)["workers"] if one["state"] == "ALIVE"} & set(addresses)


def running() -> "dict[str, list[str]]":
    """Programs that have a part on workers. One that does not answer has none: it ended, or its host did."""
    found = {}
    for name, place in places.items():
        try:
            with ask(f"http://{place}/json/", timeout=10) as answer:
                parts = [one["appdesc"] for one in json.load(answer)["executors"]]
        except OSError:
            continue
        if parts:
            found[name] = sorted({f"{part['name']} of {part['user']}" for part in parts})
    return found


def leave() -> None:
    """Say it to the master, and wait.

    Raises
    ------
    SystemExit
        Something is left there, and the time is over.
    """
    deadline = time.monotonic() + float(seconds)
    try:
        said = urllib.parse.urlencode([("host", address) for address in addresses]).encode()
        ask(f"{master}/workers/kill/", said, timeout=30).close()
    except urllib.error.HTTPError as error:
        if error.code != 404:  # that is: it knows none of them any more
            raise
    while True:
        left = running()
        if not left and not known():
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    sys.stdout.write("They get nothing new. Wait or end these programs, then run the same command again.\n")
    sys.stdout.write("To keep the hosts instead, on each of them: sudo systemctl restart spark-worker\n")
    sys.exit(
        f"after {seconds} s " + "; ".join(f"{name} still works for {', '.join(one)}" for name, one in left.items())
    )


try:
    if verb == "leave":
        leave()
    elif known() or running():
        sys.exit(1)
except OSError as error:
    sys.stdout.write(f"{error}\n")
    sys.exit("the master does not answer; bramble deploy spark mends it")
