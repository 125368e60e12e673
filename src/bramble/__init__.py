"""bramble turns a box of Raspberry Pis into working clusters, one line each."""

from __future__ import annotations

__version__ = "0.1.0.dev0"
