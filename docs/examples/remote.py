"""Let a service deploy Slurm, and tell how each host is."""

from bramble.client import connect

red = connect("https://red:8443")  # after: bramble login https://red:8443
report = red.run(red.deploy("slurm", hosts="red,red[01-02]"))
for host in report.hosts.values():
    print(f"{host.host}: {host.outcome}, {host.changed} changed")
print("Slurm works" if report.verified else "Slurm does not work")
