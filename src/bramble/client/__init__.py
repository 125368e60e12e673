"""The verbs of `bramble.api`, carried out by a service elsewhere (`bramble serve`).

::

    from bramble.client import connect

    red = connect("https://red:8443")  # after: bramble login https://red:8443
    report = red.run(red.deploy("slurm", hosts="red,red[01-02]"))
    assert report.ok and report.verified

The functions have the names and options of `bramble.api`, return the same values and raise the same errors.
"""

from .logins import Login, connect
from .remote import Remote

__all__ = ["Login", "Remote", "connect"]
