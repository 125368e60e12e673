"""`bramble completion`: what a shell needs to complete commands, options, services and hosts."""

from __future__ import annotations

import click

from .lazy import Command


@click.command(
    cls=Command,
    examples="""
    bramble completion bash > ~/.local/share/bash-completion/completions/bramble
    bramble completion zsh > "${fpath[1]}/_bramble"
    bramble completion fish > ~/.config/fish/completions/bramble.fish
    """,
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script for a shell.

    It asks bramble itself on each TAB.
    """
    from click.shell_completion import get_completion_class

    from . import bramble

    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(bramble, {}, "bramble", "_BRAMBLE_COMPLETE").source())
    return 0
