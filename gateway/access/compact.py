"""Reads a signed token (JWS compact form, RFC 7515) strictly, before any of it is believed.

Libraries read leniently where specifications leave room: two members of one name, characters that
are no base64, text after the end. Whatever could be read in two ways is refused here.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from gateway.access.claims import InvalidToken

#: Longest token that is looked at, in characters.
LONGEST_TOKEN = 8192
#: Longest name of a key, in characters.
LONGEST_KID = 256

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Compact:
    """A token taken apart. Nothing of it is proven. kid: None when the token names no key."""

    text: str
    algorithm: str
    kid: str | None
    type: str
    claims: dict[str, Any]


def read(token: str) -> Compact:
    """The parts of a token. Raises InvalidToken when it is not one, or one in two ways."""
    if len(token) > LONGEST_TOKEN:
        raise InvalidToken("too long")
    if not _COMPACT.fullmatch(token):
        raise InvalidToken("no signed token")
    first, second, third = token.split(".")
    header, claims = _object(first), _object(second)
    _bytes(third)
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or not isinstance(kind, str):
        raise InvalidToken("header")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= LONGEST_KID):
        raise InvalidToken("kid")
    if "crit" in header or "b64" in header:
        # No extension is understood here, and one that is critical must be. RFC 7515, 4.1.11.
        raise InvalidToken("crit")
    return Compact(token, algorithm, kid, kind.lower().removeprefix("application/"), claims)


def verify(compact: Compact, key: Any, algorithms: Collection[str]) -> None:
    """Raises InvalidToken unless the key signed this text, by an algorithm of ours.

    key: one of joserfc's, found by its owner: what would bring a key along in the header (jku, x5u,
    jwk, x5c) is never looked at. algorithms: what the key's owner is pinned to; what the token's
    own header says only has to be among them."""
    if compact.algorithm not in algorithms:
        raise InvalidToken("algorithm")
    try:
        deserialize_compact(compact.text, key, registry=_registry(compact.algorithm))
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidToken("signature") from error


@cache
def _registry(algorithm: str) -> JWSRegistry:
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = LONGEST_TOKEN
    return registry


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(
            _bytes(part).decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        raise InvalidToken("no JSON") from None
    if not isinstance(value, dict):
        raise InvalidToken("no object")
    return value


def _bytes(part: str) -> bytes:
    try:
        value = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise InvalidToken("no base64") from None
    # Bits that belong to no byte could be changed without changing what is signed.
    if base64.urlsafe_b64encode(value).rstrip(b"=") != part.encode():
        raise InvalidToken("no base64")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidToken("a claim twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise InvalidToken("no JSON")
