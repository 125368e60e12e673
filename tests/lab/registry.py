"""A registry on a lab host that wants a login: Debian's, with TLS by an authority of its own."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from bramble.engine import certificates
from bramble.lab.testing import Lab

USER, PASSWORD = "me", "c0rrect-horse"

#: What `htpasswd -Bbn me c0rrect-horse` says.
_USERS = "me:$2y$05$n0P4TSZoKUcg.EXyZZZMye/ZMgUsrkqLIpSlQRiRxRXtMppJHRC9y"

#: All it keeps lies in memory, so that the host's disk tells nothing of what is pushed.
_CONFIG = """
version: 0.1
storage: {filesystem: {rootdirectory: /run/docker-registry}}
http: {addr: ":5000", tls: {certificate: /etc/docker/registry/tls.crt, key: /etc/docker/registry/tls.key}}
auth: {htpasswd: {realm: lab, path: /etc/docker/registry/users}}
"""


@dataclass(frozen=True)
class Registry:
    """It runs.

    Attributes
    ----------
    place
        Address and port, as they stand before an image's name.
    """

    lab: Lab
    place: str

    @classmethod
    def start(cls, lab: Lab, host: str) -> Registry:
        """Bring one up on a host; all hosts of the lab believe its authority, as a person would arrange that."""
        address = lab.address(host)
        key = certificates.KEYS["ca-key"]()
        authority = certificates.OF_KEYS["ca-certificate"](key, "registry")
        own = certificates.KEYS["tls-key"]()
        files = {
            "config.yml": _CONFIG.encode(),
            "users": _USERS.encode(),
            "tls.key": own,
            "tls.crt": certificates.server(own, authority, key, (address,)),
        }
        lab.shell(host, "apt-get update -q; apt-get install -qy --no-install-recommends docker-registry </dev/null")
        for name, content in files.items():
            lab.shell(host, f"cat >/etc/docker/registry/{name} <<'END'\n{content.decode()}\nEND")
        start = "install -d -o docker-registry /run/docker-registry; systemctl restart docker-registry"
        lab.shell(host, f"chmod 644 /etc/docker/registry/*; {start}")
        for one in lab.hosts:
            place = "/usr/local/share/ca-certificates/lab.crt"
            lab.shell(one, f"cat >{place} <<'END'\n{authority.decode()}\nEND\nupdate-ca-certificates")
        return cls(lab, f"{address}:5000")

    @property
    def login(self) -> str:
        """User and password as they stand in a file of logins."""
        return base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def logins(self, *others: str) -> str:
        """A file of logins, as docker writes it."""
        return json.dumps({"auths": {place: {"auth": self.login} for place in (self.place, *others)}})

    def push(self, host: str, image: str, name: str) -> str:
        """Bring an image of a host's containerd into it; its name there."""
        ctr, there = "ctr -n k8s.io images", f"{self.place}/{name}"
        authority = "--tlscacert /usr/local/share/ca-certificates/lab.crt"
        self.lab.shell(
            host,
            f"{ctr} tag docker.io/library/{image} {there}; "
            f"{ctr} push {authority} --user {USER}:{PASSWORD} {there} >/dev/null; {ctr} remove {there}",
        )
        return there
