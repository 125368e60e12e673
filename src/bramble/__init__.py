"""bramble turns a box of Raspberry Pis into working clusters, one line each.

`bramble.api` is the door for programs; importing this package alone is cheap.
"""

from __future__ import annotations

__version__ = "0.1.0.dev0"
