"""The one list of routes: each verb of the API, where it is found, and who may ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .access.roles import Role

#: What every path of the table begins with.
PREFIX = "/api/v1"

Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A verb as a route below ``/api/v1``.

    Attributes
    ----------
    verb
        Name of the function in `bramble.api`.
    path
        Names in braces are parameters of the verb; all others are in the query (GET) or in the body.
    role
        Who may ask for it: this role, and those above it.
    job
        Whether it becomes a job: what changes something or goes to hosts does; what only reads here answers at once.
    files
        Parameters that name files to be read. A caller's files are those of the service's own folder (`files`), never
        others of the machine that it runs on.
    makes
        Parameters that name files, or folders, to be made there.
    pages
        Of a list that grows: the parameter that says before which ``id`` a page begins.
    """

    verb: str
    method: Method
    path: str
    role: Role
    job: bool = True
    files: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    pages: str = ""


_CLUSTER = "/clusters/{cluster}"
_SERVICE = "/clusters/{cluster}/services/{service}"

#: Verbs without a route, and why.
LEFT_OUT = {
    "shell": "it opens a terminal where the caller sits; `bramble shell` does that without the service",
}

ROUTES = (
    # Clusters and their hosts
    Route(verb="hosts_list", method="GET", path="/clusters", role="viewer", job=False),
    Route(verb="hosts_show", method="GET", path=_CLUSTER, role="viewer", job=False),
    Route(verb="hosts_add", method="POST", path=f"{_CLUSTER}/hosts", role="operator", job=False),
    Route(verb="hosts_remove", method="DELETE", path=f"{_CLUSTER}/hosts/{{expression}}", role="operator", job=False),
    Route(verb="hosts_expand", method="GET", path="/hosts/expand", role="viewer", job=False),
    Route(verb="hosts_find", method="POST", path="/hosts/find", role="operator"),
    Route(verb="hosts_check", method="POST", path=f"{_CLUSTER}/check", role="viewer"),
    Route(verb="hosts_trust", method="POST", path=f"{_CLUSTER}/trust", role="admin"),
    Route(verb="prepare", method="POST", path=f"{_CLUSTER}/prepare", role="operator"),
    # Services
    Route(verb="services", method="GET", path="/services", role="viewer", job=False),
    Route(verb="status", method="POST", path=f"{_CLUSTER}/status", role="viewer"),
    Route(verb="deploy", method="PUT", path=_SERVICE, role="operator"),
    Route(verb="remove", method="DELETE", path=_SERVICE, role="operator"),
    Route(verb="verify", method="POST", path=f"{_SERVICE}/verify", role="operator"),
    Route(verb="scale", method="POST", path=f"{_SERVICE}/scale", role="operator"),
    Route(verb="upgrade", method="POST", path=f"{_SERVICE}/upgrade", role="operator"),
    Route(verb="backup", method="POST", path=f"{_SERVICE}/backup", role="operator", makes=("to",)),
    Route(verb="restore", method="POST", path=f"{_SERVICE}/restore", role="operator", files=("file",)),
    # Images of one's own
    Route(verb="images_list", method="GET", path="/images", role="viewer", job=False),
    Route(verb="images_build", method="POST", path=f"{_CLUSTER}/images/build", role="operator", files=("folder",)),
    Route(verb="images_load", method="POST", path=f"{_CLUSTER}/images/load", role="operator", files=("files",)),
    Route(verb="images_remove", method="POST", path=f"{_CLUSTER}/images/remove", role="operator"),
    # All hosts at once
    Route(verb="command", method="POST", path=f"{_CLUSTER}/command", role="admin"),
    Route(verb="copy", method="POST", path=f"{_CLUSTER}/copy", role="admin", files=("files",)),
    Route(verb="fetch", method="POST", path=f"{_CLUSTER}/fetch", role="admin", makes=("into",)),
    Route(verb="led", method="POST", path=f"{_CLUSTER}/led", role="operator"),
    Route(verb="load", method="POST", path=f"{_CLUSTER}/load", role="viewer"),
    Route(verb="temperature", method="POST", path=f"{_CLUSTER}/temperature", role="viewer"),
    Route(verb="throttled", method="POST", path=f"{_CLUSTER}/throttled", role="viewer"),
    Route(verb="reboot", method="POST", path=f"{_CLUSTER}/reboot", role="operator"),
    Route(verb="poweroff", method="POST", path=f"{_CLUSTER}/poweroff", role="operator"),
    Route(verb="wake", method="POST", path=f"{_CLUSTER}/wake", role="operator"),
    # What services bring
    Route(verb="artifacts_list", method="GET", path="/artifacts", role="viewer", job=False),
    Route(verb="artifacts_fetch", method="POST", path="/artifacts/fetch", role="operator"),
    Route(verb="artifacts_clean", method="POST", path="/artifacts/clean", role="admin"),
    Route(verb="artifacts_export", method="POST", path="/artifacts/export", role="admin", makes=("file",)),
    Route(verb="artifacts_import", method="POST", path="/artifacts/import", role="admin", files=("file",)),
    # Cards, in the readers of the service's machine
    Route(verb="cards_list", method="GET", path="/cards", role="admin", job=False),
    Route(
        verb="cards_burn",
        method="POST",
        path="/cards/burn",
        role="admin",
        files=("image", "authorized_keys"),
        makes=("output",),
    ),
    Route(verb="cards_check", method="POST", path="/cards/check", role="admin", files=("device",)),
    Route(verb="cards_images", method="GET", path="/cards/images", role="viewer", job=False),
    Route(verb="cards_images_fetch", method="POST", path="/cards/images/fetch", role="admin", files=("images",)),
    Route(verb="cards_images_clean", method="POST", path="/cards/images/clean", role="admin"),
    # What was run
    Route(verb="runs", method="GET", path="/runs", role="viewer", job=False, pages="before"),
    Route(verb="run_of", method="GET", path="/runs/{id}", role="viewer", job=False),
)

#: By verb.
ROUTE_OF = {route.verb: route for route in ROUTES}
