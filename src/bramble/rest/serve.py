"""Runs the service: TLS always, on the loopback alone unless it is told otherwise."""

from __future__ import annotations

from pathlib import Path

import uvicorn

from . import tls
from .app import Service, make

#: Where the service listens where nothing else is asked for.
PORT = 8443


def server(folder: Path, *, address: str = "127.0.0.1", port: int = PORT) -> uvicorn.Server:
    """A server that is ready to run.

    Parameters
    ----------
    folder
        Where the service keeps everything.
    address
        What it listens on.
    """
    identity = tls.own(folder / "tls", tls.names_here())
    config = uvicorn.Config(
        make(Service(folder)),
        host=address,
        port=port,
        ssl_certfile=str(identity.certificate),
        ssl_keyfile=str(identity.key),
        server_header=False,
        access_log=False,
        log_level="warning",
    )
    return uvicorn.Server(config)
