"""What a page may load and run: its own styles and scripts, and nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

_SERVED = ("script-src", "style-src", "connect-src")
"""What may also come from the server that sends the page."""


def policy(
    styles: Iterable[str] = (), scripts: Iterable[str] = (), *, served: bool = False
) -> str:
    """Return a Content-Security-Policy under which these texts run.

    Args:
        styles: Texts of style sheets that stand in the page.
        scripts: Texts of scripts that stand in the page.
        served: Also allow what the server sends that the page came from. Such a policy
            belongs in a header: only there may it forbid frames of others.

    Example:
        >>> policy()
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
        >>> policy(styles=[""], served=True).split("; ")[2]
        "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'self'"
    """
    allowed = {
        "default-src": ["'none'"],
        "img-src": ["data:"],
        "style-src": [_fingerprint(text) for text in styles],
        "script-src": [_fingerprint(text) for text in scripts],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    if served:
        for key in _SERVED:
            allowed[key] = [*allowed.get(key, []), "'self'"]
        allowed["frame-ancestors"] = ["'none'"]
    return "; ".join(
        " ".join([key, *places]) for key, places in allowed.items() if places
    )


def _fingerprint(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
