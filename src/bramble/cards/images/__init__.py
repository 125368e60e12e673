"""Images of systems: which there are, which one is meant, and having it here.

::

    image = await resolve("raspios-lite", tell)
    path = await fetch(image, tell)
"""

from .catalogue import OFFICIAL, VARIABLE, Catalogue, at_hand, catalogue, folder
from .choose import resolve
from .fetch import Tell, fetch, forget
from .image import Image, Kept, LocalImage
from .shelf import Shelf

__all__ = [
    "OFFICIAL",
    "VARIABLE",
    "Catalogue",
    "Image",
    "Kept",
    "LocalImage",
    "Shelf",
    "Tell",
    "at_hand",
    "catalogue",
    "fetch",
    "folder",
    "forget",
    "resolve",
]
