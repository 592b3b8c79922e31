"""Sphinx settings: MyST pages, the Furo theme, and ``{pair} name`` for side-by-side programs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "pytreemod"
copyright = "the pytreemod authors"
extensions = ["myst_parser", "sphinx_design", "sphinx_copybutton", "pair"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "pairs", ".jupyter_cache", "jupyter_execute"]
html_theme = "furo"
html_title = "pytreemod"
html_static_path = ["_static"]
html_css_files = ["side_by_side.css"]
