"""Hands the built GraphiQL page, and the headers to serve it with, to whoever serves it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

DIST: Final[Path] = Path(__file__).parent / "dist"
"""The built files: `index.html` for the page's own path, the rest below `/graphiql/`."""

# An empty <style>, and no other: Monaco and the dialogs fill theirs rule by rule (src/cssom.js).
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"

CONTENT_SECURITY_POLICY: Final[str] = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {_EMPTY_STYLE}",
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
"""For the page and for every file of `DIST`: a worker obeys the policy of its own file."""


@cache
def page() -> bytes:
    """The page for people who open the endpoint in a browser: UTF-8 HTML, the same for everyone.

    Raises FileNotFoundError when `DIST` has not been built.
    """
    return (DIST / "index.html").read_bytes()
