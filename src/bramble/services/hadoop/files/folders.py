"""Makes the folders of the file system that everybody needs, once; then they are the people's own.

Arguments: the manager's name; a mark that it was done; users who get a home. By HTTP: each start of Java takes seconds.
"""

import json
import pathlib
import re
import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

manager, mark, *people = sys.argv[1:]
opener = build_opener(ProxyHandler({}))

#: Everybody may put something there, and nobody takes away what is another's: as in /tmp.
ALL = "1777"

FOLDERS = (
    ("/", "", "", ALL),
    ("/tmp", "", "", ALL),  # noqa: S108
    ("/tmp/hadoop-yarn", "", "", ALL),  # noqa: S108
    ("/tmp/hadoop-yarn/staging", "", "", ALL),  # noqa: S108
    ("/user", "", "", ALL),
    ("/app-logs", "yarn", "hadoop", ALL),
    ("/mr-history", "mapred", "hadoop", "755"),
    ("/mr-history/tmp", "mapred", "hadoop", ALL),
    ("/mr-history/done", "mapred", "hadoop", "750"),
    *((f"/user/{name}", name, "", "755") for name in people),
)


def do(path: str, operation: str, **words: str) -> None:
    """Have the NameNode do something to a folder."""
    asked = urlencode({"op": operation, "user.name": "hdfs", **{key: word for key, word in words.items() if word}})
    url = f"http://{manager}:9870/webhdfs/v1{path}?{asked}"
    try:
        with opener.open(Request(url, method="PUT"), timeout=60) as answer:
            if json.loads(answer.read() or b"{}").get("boolean") is False:
                sys.exit(f"{path}: {operation} was refused")
    except HTTPError as error:
        said = re.search(rb'"message":"([^"\\]*)', error.read())
        sys.exit(f"{path}: {said[1].decode() if said else error}")


for path, owner, owned_by, permission in FOLDERS:
    if path != "/":
        do(path, "MKDIRS", permission=permission)
    do(path, "SETPERMISSION", permission=permission)
    if owner:
        do(path, "SETOWNER", owner=owner, group=owned_by)
pathlib.Path(mark).touch()
