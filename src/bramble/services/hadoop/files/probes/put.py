"""Writes the file into an empty folder."""

from .hadoop import content, finish, folder, forget, write

forget(folder)
write(f"{folder}/file", content())
finish(True, "written", "")
