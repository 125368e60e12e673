"""Whether the file system can be written to (status 0). Arguments: the manager's name; seconds to wait for that.

A NameNode lets nobody write until the hosts have told it of nearly all parts of files.
"""

import json
import sys
import time
from urllib.request import ProxyHandler, build_opener

manager, patience = sys.argv[1], float(sys.argv[2])
opener = build_opener(ProxyHandler({}))
url = f"http://{manager}:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo"
ends = time.monotonic() + patience
while True:
    with opener.open(url, timeout=10) as answer:
        waits = json.load(answer)["beans"][0]["Safemode"]
    if not waits or time.monotonic() >= ends:
        break
    time.sleep(0.5)
if waits:
    sys.exit(
        f"the NameNode still waits for parts of files: {'. '.join(' '.join(waits.split()).split('. ')[:2])}\n"
        "hint: do they lie on a host that was left out? Deploy with all that kept files. To go on without what they "
        "keep, on the manager: sudo -u hdfs hdfs dfsadmin -safemode leave"
    )
