"""The door: whatever token comes, who made it, whether it holds, and whether it has been ended."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from gateway.access import compact
from gateway.access.claims import Claims, InvalidToken, Proof, UnknownKey
from gateway.access.files import SecretFileError, complain
from gateway.access.issuers import Issuer
from gateway.access.revocations import Revocations
from gateway.access.tokens import Tokens

#: Verified tokens that are remembered at most; the least used is forgotten first.
_MOST = 10_000
#: Tokens, verified or not, whose names are remembered.
_MOST_NAMED = 1_000


@lru_cache(_MOST_NAMED)
def _name(token: str) -> bytes:
    """What a token is remembered by. Raises InvalidToken."""
    try:
        return hashlib.sha256(token.encode("ascii")).digest()
    except UnicodeEncodeError:
        raise InvalidToken("no signed token") from None


class StaffRegister(Protocol):
    """Who of our own programs still is one."""

    def scopes(self, client_id: str) -> frozenset[str] | None:
        """What the program may do today, None when it may nothing any more."""
        ...


class Verifier:
    """Checks tokens of our own issuer and of others.

    own: our issuer. issuers: others, by their URL. revocations: which sessions of our own have
    ended. staff: our own programs. Raises ValueError when two issuers have one URL."""

    def __init__(
        self,
        own: Tokens,
        issuers: Sequence[Issuer] = (),
        revocations: Revocations | None = None,
        staff: StaffRegister | None = None,
        most: int = _MOST,
    ) -> None:
        self._own, self._revocations, self._staff, self._most = own, revocations, staff, most
        self._issuers = {one.issuer: one for one in issuers}
        if len(self._issuers) != len(issuers) or own.issuer in self._issuers:
            raise ValueError("access.issuers: two issuers have the same URL")
        self._proven: OrderedDict[bytes, tuple[Proof, Tokens | Issuer, int]] = OrderedDict()

    async def check(self, token: str) -> Claims:
        """What a token says. Raises InvalidToken when it proves nothing, SourceError when that
        cannot be told: an issuer's keys cannot be had, or nobody knows which sessions ended."""
        if len(token) > compact.LONGEST_TOKEN:
            raise InvalidToken("too long")
        name = _name(token)
        claims = self._remembered(name)
        if claims is None:
            claims = await self._prove(name, token)
        return self._still(claims)

    async def close(self) -> None:
        """Lets go of the connections to other issuers."""
        for issuer in self._issuers.values():
            await issuer.close()

    def _remembered(self, name: bytes) -> Claims | None:
        found = self._proven.get(name)
        if found is None:
            return None
        proof, by, generation = found
        if by.generation != generation:
            del self._proven[name]  # the keys changed: its own may be gone
            return None
        if self._own.clock().timestamp() >= proof.until:
            del self._proven[name]
            raise InvalidToken("expired")
        if isinstance(by, Issuer):
            by.renew()
        self._proven.move_to_end(name)
        return proof.claims

    async def _prove(self, name: bytes, token: str) -> Claims:
        read = compact.read(token)
        # Not proven yet: it only says whose keys and rules the token has to stand up to.
        issuer = read.claims.get("iss")
        by = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if by is not None:
            checker: Tokens | Issuer = by
            proof = await by.proof(read)
        else:
            checker = self._own
            proof = await self._own_proof(read)
        self._proven[name] = (proof, checker, checker.generation)
        while len(self._proven) > self._most:
            self._proven.popitem(last=False)
        return proof.claims

    async def _own_proof(self, read: compact.Compact) -> Proof:
        try:
            return self._own.proof(read)
        except UnknownKey:
            # Another process may have rotated the keys a moment ago.
            before = self._own.keys.generation
            try:
                await self._own.keys.refresh()
            except SecretFileError as error:
                complain(error)
            if self._own.keys.generation == before:
                raise
        return self._own.proof(read)

    def _still(self, claims: Claims) -> Claims:
        """The claims unless what they rest on has been ended since. Raises InvalidToken."""
        if claims.issuer != self._own.issuer:
            return claims
        session_id = claims.session_id
        if session_id and self._revocations and self._revocations.ended(session_id):
            raise InvalidToken("session ended")
        if claims.staff and self._staff:
            allowed = self._staff.scopes(claims.client_id or "")
            if allowed is None:
                raise InvalidToken("client removed")
            if not claims.scopes <= allowed:
                return replace(claims, scopes=claims.scopes & allowed)
        return claims
