"""What every host of a cluster should be like, whatever runs on it."""

from __future__ import annotations

from .. import Service
from .access import OWN_FILES
from .config import Config
from .plan import PACKAGES, PATHS, plan
from .verify import verify

SERVICE = Service(
    name="base",
    summary="prepares hosts: names, addresses, time, swap, radios, kernel arguments, packages, keys (bramble prepare)",
    config=Config,
    plan=plan,
    verify=verify,
    own_files=OWN_FILES,
    packages=PACKAGES,
    paths=PATHS,
    begins="bramble prepare --set timezone=auto --set swap=off  (all there is: bramble services base)",
)
