"""Tokens of other issuers, checked by what portal.toml says of each and by that issuer's keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from connectors.kit.connector import Wiring
from gateway.access import compact
from gateway.access.claims import (
    Claims,
    InvalidToken,
    Proof,
    address,
    at,
    expiry,
    meant_for,
    moment,
    words,
)
from gateway.access.remote_keys import ALGORITHMS, RemoteKeys, is_safe
from gateway.access.tokens import LONGEST_LEEWAY

#: Types of tokens that open the graph: access tokens, and what says no more than that it is a JWT.
#: A logout token or a proof of possession, which the same keys sign, is none of them.
_TYPES = ("at+jwt", "jwt", "")
#: Longest subject, client or contact, in characters.
_LONGEST = 255


class IssuerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of `[[access.issuers]]`.

    issuer: its URL, exactly as its tokens and its discovery document say it. audience: what its
    access tokens for the portal name; an audience that its ID tokens name too lets those in as
    well. algorithms: the only ones it is believed by.

    claim: what tells who the person is; holds: whether that is their mail address or the CRM's id
    of the contact. The claim "email" counts only where `email_verified` is true; of any other
    claim, name one that the person cannot set.

    staff_claim, staff_value: a token whose claim is, or lists, that value is a program's.
    staff_scope: so is one with that scope; name one that no person can ask for. staff_scopes: of a
    program's scopes, those that count.

    deadline: seconds to wait for its keys. refresh_seconds: pause between two questions for them.
    keys_minutes: how old they may become before they are read again in passing."""

    issuer: str
    audience: Annotated[str, msgspec.Meta(min_length=1)]
    algorithms: list[str] = msgspec.field(default_factory=lambda: ["RS256"])
    claim: Annotated[str, msgspec.Meta(min_length=1)] = "email"
    holds: Literal["email", "contact"] = "email"
    staff_claim: str | None = None
    staff_value: str | None = None
    staff_scope: str | None = None
    staff_scopes: list[str] = msgspec.field(default_factory=list)
    deadline: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    refresh_seconds: Annotated[float, msgspec.Meta(ge=1)] = 60.0
    keys_minutes: Annotated[float, msgspec.Meta(ge=1)] = 10.0

    def __post_init__(self) -> None:
        if not is_safe(self.issuer) or "?" in self.issuer:
            raise ValueError(f"{self.issuer!r}: an issuer's URL begins with https://")
        if not self.algorithms:
            raise ValueError("algorithms: name at least one")
        for name in self.algorithms:
            if name not in ALGORITHMS:
                raise ValueError(f"algorithms: {name!r} is none of {', '.join(ALGORITHMS)}")
        if (self.staff_claim is None) != (self.staff_value is None):
            raise ValueError("staff_claim and staff_value go together")


class Issuer:
    """Checks the tokens of one other issuer.

    leeway: seconds that clocks may differ, at most LONGEST_LEEWAY. clock: aware UTC."""

    def __init__(
        self,
        settings: IssuerSettings,
        keys: RemoteKeys,
        leeway: int,
        clock: Callable[[], datetime],
    ) -> None:
        if not 0 <= leeway <= LONGEST_LEEWAY:
            raise ValueError(f"leeway goes from 0 to {LONGEST_LEEWAY} seconds")
        self.issuer = settings.issuer
        self._settings, self._keys, self._leeway, self._clock = settings, keys, leeway, clock

    @classmethod
    def open(cls, source: str, settings: IssuerSettings, leeway: int, wiring: Wiring) -> Issuer:
        """An issuer that is asked for its keys when the first token comes. source: the name that
        errors carry."""
        keys = RemoteKeys(
            source,
            settings.issuer,
            wiring,
            deadline=settings.deadline,
            pause=settings.refresh_seconds,
            age=settings.keys_minutes * 60,
        )
        return cls(settings, keys, leeway, wiring.clock)

    @property
    def generation(self) -> int:
        """Counts up whenever what was proven has to be proven anew."""
        return self._keys.generation

    def renew(self) -> None:
        """Has old keys read again, without waiting for them."""
        self._keys.renew()

    async def close(self) -> None:
        await self._keys.close()

    async def proof(self, token: compact.Compact) -> Proof:
        """What a token says, checked. Raises InvalidToken, or SourceError when the issuer's keys
        cannot be had."""
        if token.algorithm not in self._settings.algorithms or token.type not in _TYPES:
            raise InvalidToken("algorithm")
        # What needs no key is checked first: it keeps most forgeries from asking for keys.
        now = self._clock().timestamp()
        meant_for(token.claims, self.issuer, self._settings.audience)
        expires = expiry(token.claims, now, self._leeway)
        issued = moment(token.claims, "iat")
        key = await self._keys.find(token.kid, token.algorithm, issued)
        compact.verify(token, key, self._settings.algorithms)
        return Proof(self._claims(token.claims, expires), expires + self._leeway)

    def _claims(self, said: dict[str, Any], expires: float) -> Claims:
        subject = _text(said, "sub")
        if subject is None:
            raise InvalidToken("no subject")
        scopes = words(said.get("scope")) | words(said.get("scp"))
        if self._is_staff(said, scopes):
            return Claims(
                issuer=self.issuer,
                subject=subject,
                email=None,
                contact_id=None,
                expires_at=at(expires),
                client_id=_text(said, "client_id") or _text(said, "azp") or subject,
                scopes=scopes & frozenset(self._settings.staff_scopes),
                staff=True,
            )
        email, contact_id = self._person(said)
        return Claims(
            issuer=self.issuer,
            subject=subject,
            email=email,
            contact_id=contact_id,
            expires_at=at(expires),
        )

    def _person(self, said: dict[str, Any]) -> tuple[str | None, str | None]:
        """Mail address or contact of the person. Raises InvalidToken when the token tells none."""
        claim = self._settings.claim
        # "true" as a text, which some issuers send, is no proof: it could be anybody's "false" too.
        if claim == "email" and said.get("email_verified") is not True:
            raise InvalidToken("address not verified")
        if self._settings.holds == "email":
            email = address(said.get(claim))
            if email is None:
                raise InvalidToken("no address")
            return email, None
        contact_id = _text(said, claim)
        if contact_id is None:
            raise InvalidToken("no contact")
        return None, contact_id

    def _is_staff(self, said: dict[str, Any], scopes: frozenset[str]) -> bool:
        settings = self._settings
        if settings.staff_scope is not None and settings.staff_scope in scopes:
            return True
        if settings.staff_claim is None:
            return False
        value = said.get(settings.staff_claim)
        values = value if isinstance(value, list) else [value]
        return any(isinstance(one, str) and one == settings.staff_value for one in values)


def _text(said: dict[str, Any], name: str) -> str | None:
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        return None
    return value
