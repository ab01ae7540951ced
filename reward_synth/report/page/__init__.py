"""The page: a report as one HTML file. Loads Jinja only when a page is made."""

from reward_synth.report.page.render import (
    Live,
    render_page,
    served_policy,
    write_page,
)
from reward_synth.report.page.security import policy

__all__ = ["Live", "policy", "render_page", "served_policy", "write_page"]
