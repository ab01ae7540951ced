"""The page: a report as one HTML file. Loads Jinja only when a page is made."""

from reward_synth.report.page.render import render_page, write_page

__all__ = ["render_page", "write_page"]
