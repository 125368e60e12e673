"""The radios of a board, switched off where its firmware is told about its devices: in config.txt."""

from __future__ import annotations

_LINES = ("dtoverlay=disable-wifi", "dtoverlay=disable-bt")


def without_radios(config: str) -> str:
    """``config.txt`` with both radios off on every board; as it is, where it says so already.

    A line holds only for the boards of the section it stands in (``[pi4]``), so these stand in one for all at the end.
    """
    section, effective = "all", set()
    for line in map(str.strip, config.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].casefold()
        elif section == "all":
            effective.add(line)
    missing = [line for line in _LINES if line not in effective]
    if not missing:
        return config
    end = "" if not config or config.endswith("\n") else "\n"
    return config + end + "\n".join(([] if section == "all" else ["", "[all]"]) + missing) + "\n"
