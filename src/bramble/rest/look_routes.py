"""Parts of what verbs show: the hosts of a cluster, some at a time; one service, and its options for forms."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from .. import services as rooms
from ..api import HostInfo, ServiceInfo
from ..errors import NotThere
from .access.guard import Viewer
from .answers import UNCHANGED, Answer, respond
from .paging import Limit, page
from .routes import PREFIX

router = APIRouter(prefix=PREFIX)


@router.get(
    "/clusters/{cluster}/hosts",
    operation_id="clusters_hosts",
    tags=["hosts"],
    response_model=list[HostInfo],
    responses=UNCHANGED,
)
async def clusters_hosts(
    http: Request,
    cluster: str,
    who: Viewer,
    limit: Limit = 100,
    after: Annotated[str, Query(description="Those behind this host.")] = "",
    service: Annotated[str, Query(description="Only those that have this service.")] = "",
) -> Response:
    """The hosts of a cluster as its file and the last runs know them, in the file's order."""
    answer = await http.app.state.service.answers.of("hosts_show", {"cluster": cluster})
    hosts = answer.value["hosts"]
    if after:
        names = [host["name"] for host in hosts]
        if after not in names:
            raise NotThere(f"there is no host {after!r} in {cluster}", hint="begin without `after`")
        hosts = hosts[names.index(after) + 1 :]
    if service:
        hosts = [host for host in hosts if service in host["services"]]
    return page(http, hosts[: limit + 1], limit, "after", "name")


@router.get(
    "/services/{name}",
    operation_id="services_show",
    tags=["services"],
    response_model=ServiceInfo,
    responses=UNCHANGED,
)
async def services_show(http: Request, name: str, who: Viewer) -> Response:
    """One service of the catalogue, with all options."""
    answer = await http.app.state.service.answers.of("services", {"name": name})
    return respond(http, Answer.to(answer.value[0]))


@router.get("/services/{name}/options", operation_id="services_options", tags=["services"])
async def services_options(name: str, who: Viewer) -> dict[str, Any]:
    """The options of a service as a JSON schema, for forms. Of one that names a file, give ``{"content": "…"}``."""
    room = rooms.get(name)
    schema = room.config.model_json_schema()
    for own in room.own_files:
        schema["properties"][own.option] |= {
            "type": "object", "properties": {"content": {"type": "string", "writeOnly": not own.public}},
            "required": ["content"], "additionalProperties": False,
        }  # fmt: skip
        schema["properties"][own.option].pop("default", None)
    return schema
