"""Whether the file system of the NameNode on the host of this name can be written to: status 0."""

import json
import sys
import urllib.request

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
query = "Hadoop:service=NameNode,name=NameNodeInfo"
with opener.open(f"http://{sys.argv[1]}:9870/jmx?qry={query}", timeout=5) as answer:
    sys.exit(1 if json.load(answer)["beans"][0]["Safemode"] else 0)
