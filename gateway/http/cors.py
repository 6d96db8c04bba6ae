"""Which pages of other origins may ask from a browser, and what they may send and read."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from gateway.http.preflight import HEADERS

#: What a page may send beyond what every page may.
_SENT = (
    "authorization",
    "content-type",
    "portal-acting-for",
    "portal-cost",
    "range",
    "tus-resumable",
    "upload-checksum",
    "upload-offset",
    "x-request-id",
    *HEADERS,
)
#: What a page may read of an answer beyond what every page may.
_READ = (
    "accept-ranges",
    "content-disposition",
    "content-range",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "tus-extension",
    "tus-max-size",
    "tus-resumable",
    "tus-version",
    "upload-expires",
    "upload-length",
    "upload-offset",
    "x-request-id",
)
#: Seconds that a browser may remember this.
_REMEMBERED = 7_200


def opened_to(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """The application, open to pages of these origins. Callers prove themselves by a header, never
    by a cookie, so no credentials of the browser are let in."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=("GET", "HEAD", "POST", "PATCH", "DELETE"),
        allow_headers=_SENT,
        expose_headers=_READ,
        max_age=_REMEMBERED,
    )
