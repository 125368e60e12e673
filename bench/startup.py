"""How long it takes until the command line is there."""

from __future__ import annotations

from bench.measure import ROOT, Table, Timing, command, repeat

PYTHON = str(ROOT / ".venv" / "bin" / "python")
BRAMBLE = str(ROOT / ".venv" / "bin" / "bramble")


def main() -> Table:
    """Median of 15 starts each."""
    table = Table("Start-up")
    table.add(Timing(name="python -c pass", seconds=repeat(15, lambda: command([PYTHON, "-c", "pass"]))))
    imported = repeat(15, lambda: command([PYTHON, "-c", "import bramble"]))
    table.add(Timing(name="import bramble", seconds=imported, limit=0.1, note="with the interpreter's own start"))
    shown = repeat(15, lambda: command([BRAMBLE, "--help"]))
    table.add(Timing(name="bramble --help", seconds=shown, limit=0.2))
    return table
