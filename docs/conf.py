"""Settings of the manual."""

import sys
from pathlib import Path

from bramble import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "bramble"
author = "the bramble developers"
copyright = "the bramble developers, Apache-2.0"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "generated"]
exclude_patterns = ["_ext"]
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
default_role = "code"
smartquotes = False  # a value in quotes is there to be copied
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# Not ours to document; the manuals they stand in are not fetched, so that the build needs no network.
nitpick_ignore_regex = [("py:class", r"(collections\.abc|pydantic)\..*"), ("py:class", r"bramble\.api\.T")]
html_theme = "furo"
html_title = f"bramble {version}"
html_static_path = ["_static"]
