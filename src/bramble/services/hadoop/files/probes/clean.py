"""Takes away the folder of this name."""

import sys

from .hadoop import finish, forget

forget(sys.argv[1])
finish(True, "gone", "")
