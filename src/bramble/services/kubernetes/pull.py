"""Pods of chosen namespaces pull images with a person's logins at private registries."""

from __future__ import annotations

from ...model import Cluster
from ...plan import Group, group
from ...runner.steps import Command
from .config import Config
from .logins import LOGINS, namespaces
from .scripts import script


def groups(cluster: Cluster, config: Config) -> tuple[Group, ...]:
    """What brings the logins into the cluster, and out of it where they are not wanted any more."""
    if not config.pull_secret:
        return ()
    chosen = namespaces(config.pull_namespaces)

    def words(verb: str) -> tuple[str, ...]:
        return (*script("pull.py"), verb)

    step = Command(
        # Without their names: it is the same step when they change.
        name="logins at registries for pods",
        argv=(*words("set"), *chosen),
        unless=(*words("check"), *chosen),
        undo_argv=words("clear"),
        input=LOGINS,
        timeout=120,
    )
    return (group("Logins at registries", [cluster.manager], step, after=["Nodes"]),)
