"""Where tokens, codes and ids come from, and the form in which tokens are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

#: Longest token that is looked at, in characters.
LONGEST_TOKEN = 256


def _token() -> str:
    return secrets.token_urlsafe(32)


def _code() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def _name() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Chance:
    """Randomness, passed in so that tests can know it. token: 256 bits, fit for a URL. code: six
    digits. name: 128 bits for an id, 32 hexadecimal digits."""

    token: Callable[[], str] = _token
    code: Callable[[], str] = _code
    name: Callable[[], str] = _name


def digest(token: str) -> str:
    """What is kept of a token. It has 256 random bits: nobody finds it again by trying, so that a
    quick hash is enough, unlike for a password or a code of six digits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
