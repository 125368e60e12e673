"""What is kept on the controller: cluster files, folders, keys of known hosts."""

from . import folders
from .burned import record_burned, to_be_burned
from .clusters import load, names, new_name, of_entries
from .deployments import begin_upgrade, end_upgrade, forget_service, of_service, options_of, save_service
from .known_hosts import fingerprints, forget_keys, remember_key, state_of_key, written_names
from .membership import add_hosts, join, readdress, remove_hosts
from .resolve import groups, having, only_one, resolve, resolve_all, with_hosts

__all__ = [
    "add_hosts",
    "begin_upgrade",
    "end_upgrade",
    "fingerprints",
    "folders",
    "forget_keys",
    "forget_service",
    "groups",
    "having",
    "join",
    "load",
    "names",
    "new_name",
    "of_entries",
    "of_service",
    "only_one",
    "options_of",
    "readdress",
    "record_burned",
    "remember_key",
    "remove_hosts",
    "resolve",
    "resolve_all",
    "save_service",
    "state_of_key",
    "to_be_burned",
    "with_hosts",
    "written_names",
]
