"""An example of each request, for the description of the service."""

from __future__ import annotations

from typing import Any

_HOSTS = {"hosts": "red,red[01-02]"}

#: Verb → what may be in its body.
EXAMPLES: dict[str, dict[str, Any]] = {
    "hosts_add": {"expression": "red03"},
    "hosts_find": {"seconds": 3.0},
    "hosts_check": {},
    "hosts_trust": {"hosts": "red03", "replace": True},
    "prepare": {"options": {"timezone": "Europe/Berlin", "swap": "off"}, "dry_run": True},
    "status": {"service": "slurm"},
    "deploy": {**_HOSTS, "options": {"partitions": [{"name": "all"}]}, "dry_run": True},
    "remove": {"dry_run": True},
    "verify": {},
    "scale": {"add": "red03"},
    "upgrade": {"dry_run": True},
    "backup": {"to": "red-kubernetes.backup"},
    "restore": {"file": "red-kubernetes.backup"},
    "images_build": {"folder": "app", "tag": "app:1"},
    "images_load": {"files": ["app.tar"]},
    "images_remove": {"names": ["app:1"]},
    "command": {"argv": ["uname", "-r"]},
    "copy": {"files": ["motd"], "to": "/etc/motd", "sudo": True},
    "fetch": {"paths": ["/var/log/syslog"], "sudo": True},
    "led": {"state": "blink", "hosts": "red01"},
    "load": {},
    "temperature": {},
    "throttled": {},
    "reboot": {"hosts": "red01"},
    "poweroff": {},
    "wake": {"hosts": "red01"},
    "artifacts_fetch": {"services": ["kubernetes"]},
    "artifacts_clean": {"unused": True},
    "artifacts_export": {"file": "artifacts.tar"},
    "artifacts_import": {"file": "artifacts.tar"},
    "cards_burn": {"hosts": "red01", "image": "raspios-lite", "devices": ["/dev/sda"], "dry_run": True},
    "cards_check": {"host": "red01", "device": "/dev/sda"},
    "cards_images_fetch": {"images": ["raspios-lite"]},
    "cards_images_clean": {"outdated": True},
}
