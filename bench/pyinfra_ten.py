"""Ten operations, the same as in ``bench/rooms/bramble_ten.py``, for pyinfra's command line."""

from io import StringIO

from pyinfra.operations import apt, files, server, systemd

apt.packages(name="sudo", packages=["sudo"], _sudo=True)
server.user(name="ten", user="ten", system=True, _sudo=True)
files.directory(name="/etc/ten", path="/etc/ten", _sudo=True)
files.directory(name="/var/lib/ten", path="/var/lib/ten", user="ten", group="ten", mode="750", _sudo=True)
files.put(name="a", src=StringIO("a = 1\n"), dest="/etc/ten/a.conf", mode="644", _sudo=True)
files.put(name="b", src=StringIO("b = 2\n"), dest="/etc/ten/b.conf", mode="640", _sudo=True)
files.put(name="c", src=StringIO("c = 3\n" * 100), dest="/etc/ten/c.conf", mode="644", _sudo=True)
files.link(name="link", path="/etc/ten/link", target="/etc/ten/a.conf", _sudo=True)
files.line(name="line", path="/etc/hosts", line="10.1.1.99 ten", _sudo=True)
systemd.service(name="ssh", service="ssh.service", enabled=True, running=True, _sudo=True)
