"""Deploy Slurm by the service, and follow it to its end: service_client.py URL CA TOKEN CLUSTER."""

import json
import ssl
import sys
import time

import httpx

url, authority, token, cluster = sys.argv[1:]
service = httpx.Client(
    base_url=f"{url}/api/v1",
    headers={"Authorization": f"Bearer {token}"},
    verify=ssl.create_default_context(cafile=authority),
    timeout=60,
)

answer = service.put(f"/clusters/{cluster}/services/slurm", json={})
if answer.is_error:
    problem = answer.json()
    sys.exit(f"{problem['title']}: {problem.get('detail', '')}\n{problem.get('hint', '')}")
events = f"/jobs/{answer.json()['id']}/events"

seen = kind = ""
told = {}
while kind != "end":
    try:
        with service.stream("GET", events, headers={"Last-Event-ID": seen}) as stream:
            for line in stream.iter_lines():
                field, _, value = line.partition(": ")
                if field == "id":
                    seen = value
                elif field == "event":
                    kind = value
                elif field == "data":
                    told = json.loads(value)
                    print(kind, told.get("host", ""))
    except httpx.TransportError:
        time.sleep(1)  # the service goes on meanwhile

# The last event is the job itself.
print(told["state"])
sys.exit(told["state"] != "done")
