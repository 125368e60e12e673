"""`bramble serve`: the same verbs as a REST service, with a web page."""

from __future__ import annotations

import click

from .lazy import Command, Option


@click.command(
    cls=Command,
    examples="""
    bramble serve
    # also for the other machines of the network
    bramble serve --address 0.0.0.0
    """,
)
@click.option("--address", metavar="ADDRESS", default="127.0.0.1", cls=Option, help="What to listen on (127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), default=8443, cls=Option, help="The port (8443).")
def serve(address: str, port: int) -> int:
    """Serve all this to browsers and programs, over TLS."""
    from .. import inventory
    from ..rest import tls
    from ..rest.serve import server

    folder = inventory.folders.service()
    made = server(folder, address=address, port=port)
    click.echo(f"https://{address}:{port}/")
    click.echo(f"certificate of the authority: {folder / 'tls' / 'ca.crt'}")
    click.echo(f"  SHA-256 {tls.fingerprint(folder / 'tls' / 'ca.crt')}")
    made.run()
    return 0
