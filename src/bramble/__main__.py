"""``python -m bramble`` is ``bramble``."""

from __future__ import annotations

from .cli import main

main()
