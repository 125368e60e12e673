"""Takes away the folder."""

from .hadoop import finish, folder, forget

forget(folder)
finish(True, "gone", "")
