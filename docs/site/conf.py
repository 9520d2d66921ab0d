"""The settings of Sphinx. ``build.py`` makes the source and calls it."""

from __future__ import annotations

import inception_dsl

project = "inception-dsl"
release = version = inception_dsl.__version__
html_title = f"{project} {version}"
extensions = ["myst_parser"]
myst_enable_extensions = ["attrs_block", "attrs_inline"]
myst_heading_anchors = 4  # the anchors that code hosts give to headings
myst_links_external_new_tab = False
exclude_patterns = ["extra", "files"]
highlight_language = "text"  # of blocks without a language: output of commands
html_theme = "furo"
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
pygments_style = "default"
pygments_dark_style = "github-dark"
