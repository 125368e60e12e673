"""Images of the user's own: read from archives, built from folders, and put into a form that every engine takes."""

from .archive import Found, read
from .build import Builder

__all__ = ["Builder", "Found", "read"]
