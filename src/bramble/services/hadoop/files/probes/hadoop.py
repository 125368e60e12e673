"""What the probes share: files by HTTP, which spares a start of Java, and Hadoop's commands. It stands before each.

The first argument of each is the manager's name, the second a folder in the file system.
"""

import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

#: The one plain user that every host has.
os.environ["HADOOP_USER_NAME"] = USER = "nobody"

#: Bytes of the file that all hosts read, and words in the text of each.
SIZE, WORDS = 4 << 20, 20_000

manager, folder = sys.argv[1:3]
opener = build_opener(ProxyHandler({}))


def web(method: str, url: str, data: "bytes | None" = None) -> bytes:
    """What a daemon answers, by HTTP.

    It ends the probe where that is no success: with the daemon's own words, where it has any.
    """
    try:
        with opener.open(Request(url, data=data, method=method), timeout=60) as answer:  # noqa: S310 (http alone)
            return bytes(answer.read())
    except HTTPError as error:
        said = re.search(rb'"message":"([^"\\]*)', error.read())
        sys.exit(f"{method} {url.partition('?')[0]}: {said[1].decode() if said else error}")
    except (URLError, OSError, http.client.HTTPException) as error:
        sys.exit(f"{url.partition('?')[0]} does not answer: {error}")


def files(method: str, path: str, operation: str, **words: object) -> bytes:
    """What the NameNode answers; it sends one to a DataNode for what is in files."""
    asked = urlencode({"op": operation, "user.name": USER, **words})
    return web(method, f"http://{manager}:9870/webhdfs/v1{quote(path)}?{asked}")


def write(path: str, data: bytes, **words: object) -> None:
    """Make a file; its first copy lies on this host where that keeps files."""
    sent = json.loads(files("PUT", path, "CREATE", overwrite="true", noredirect="true", **words))
    web("PUT", sent["Location"], data)


def forget(*paths: str) -> None:
    """Take away what an earlier run may have left."""
    for path in paths:
        files("DELETE", path, "DELETE", recursive="true")


def hadoop(*words: str) -> "tuple[bytes, str]":
    """What a command printed, and what it said; where it fails, its most telling words are ours."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        lines = [line for line in said.splitlines() if line.strip()]
        telling = [line for line in lines if "Exception" in line or line.startswith(("ERROR", "FATAL"))]
        sys.exit(f"{' '.join(words[:3])}: {(telling or lines or ['it said nothing'])[-1]}")
    return done.stdout, said


def content() -> bytes:
    """The same on every host, and nothing that compresses."""
    return b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(SIZE // 32))


def finish(right: bool, line: str, otherwise: str) -> None:
    """Say how it came out."""
    sys.stdout.write((line if right else otherwise) + "\n")
