"""What is kept on the controller: cluster files, folders, keys of known hosts."""

from . import folders
from .clusters import load, names
from .deployments import begin_upgrade, end_upgrade, forget_service, of_service, options_of, save_service
from .known_hosts import forget_keys, remember_key, state_of_key
from .membership import add_hosts, join, remove_hosts
from .resolve import groups, resolve, resolve_all, with_hosts

__all__ = [
    "add_hosts",
    "begin_upgrade",
    "end_upgrade",
    "folders",
    "forget_keys",
    "forget_service",
    "groups",
    "join",
    "load",
    "names",
    "of_service",
    "options_of",
    "remember_key",
    "remove_hosts",
    "resolve",
    "resolve_all",
    "save_service",
    "state_of_key",
    "with_hosts",
]
