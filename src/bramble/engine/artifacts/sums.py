"""Lists of hashes as makers publish them beside their files."""

from __future__ import annotations

import re

from ...errors import BrambleError

#: Digits of a hash → its name. Weaker ones that stand in the same list are passed over.
_NAMES = {64: "sha256", 128: "sha512"}

#: ``HASH  name``, as sha256sum writes it; a star says that the file was read as bytes.
_PLAIN = re.compile(r"([0-9a-fA-F]+)[ \t]+\*?(\S.*)")

#: ``SHA256 (name) = HASH``, as it is written with ``--tag``.
_TAGGED = re.compile(r"\S+ \((.+)\) ?= ?([0-9a-fA-F]+)")


def published(text: str, name: str) -> str:
    """What a list says of a file.

    Parameters
    ----------
    text
        The list, or nothing but one hash.
    name
        Of the file, without folders.

    Returns
    -------
    str
        ``sha256:…`` or ``sha512:…``, the stronger one where it has both.

    Raises
    ------
    BrambleError
        It does not name the file, or says two things of it.
    """
    found: dict[str, set[str]] = {}
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if match := _TAGGED.fullmatch(line):
            listed, digits = match[1], match[2]
        elif match := _PLAIN.fullmatch(line):
            digits, listed = match[1], match[2]
        elif len(lines) == 1:
            digits, listed = line, name
        else:
            continue
        if listed.rpartition("/")[2] == name and len(digits) in _NAMES and re.fullmatch("[0-9a-fA-F]+", digits):
            found.setdefault(_NAMES[len(digits)], set()).add(digits.lower())
    for kind in ("sha512", "sha256"):
        if kind in found:
            if len(found[kind]) > 1:
                raise BrambleError(f"the list of hashes says two things of {name}")
            return f"{kind}:{found[kind].pop()}"
    raise BrambleError(f"the list of hashes does not name {name}", why=text[:200].strip())
