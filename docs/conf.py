"""How Sphinx builds the site: ``make docs``, without a network."""

project = "reward_synth"
html_title = project
extensions = ["myst_parser"]
nitpicky = True  # a link to nowhere is a warning, and `make docs` takes those as errors
myst_heading_anchors = 3  # headings are targets of links, as on code hosting sites

html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
