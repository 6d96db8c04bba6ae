"""Requests that any page of the web could have a browser send, and the headers that show that a
request is not one of them: a page of another origin can set none of these without a preflight."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.http.refusals import Refusal

#: Any of them will do, with any value.
HEADERS = (
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-requested-with",
)


def required(headers: Mapping[str, str]) -> None:
    """Raises Refusal when nothing shows that the request was meant. For media types that a form can
    send, and whatever has side effects without a body."""
    if not any(name in headers for name in HEADERS):
        raise Refusal(403, "Send a header that a form cannot: GraphQL-Require-Preflight: 1.")
