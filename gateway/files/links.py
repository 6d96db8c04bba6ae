"""Addresses that carry their own right: to send one file, or to read one file as one viewer."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from gateway.access.keys import KeyRing, RingKey
from schema.context import Caller

#: Where the routes are.
UPLOADS, DOWNLOADS = "/uploads", "/files"
#: Longest ticket that is looked at, in characters.
_LONGEST = 1_500
#: Bytes of a signature.
_SIGNATURE = 24


class UploadTicket(msgspec.Struct, frozen=True, array_like=True, tag="u"):
    """The right to send the bytes of one file, or to give it up. expires_at: seconds since 1970."""

    upload_id: str
    expires_at: int


class DownloadTicket(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """The right to read one file, as somebody. It gives nobody more than they have: who they are
    and what they may see is asked again when it is used.

    contact_id: of a person. session_id: of the session that they asked in. client_id: of a program,
    which acted for account_id with scopes. expires_at: seconds since 1970."""

    attachment_id: str
    expires_at: int
    contact_id: str = ""
    session_id: str | None = None
    client_id: str | None = None
    account_id: str | None = None
    scopes: tuple[str, ...] = ()


Ticket = UploadTicket | DownloadTicket
T = TypeVar("T", UploadTicket, DownloadTicket)


class Links:
    """Makes and reads tickets, signed with a key that is derived from the one that signs access
    tokens: a rotation of that one ends them as it ends tokens.

    base: the address of the gateway, as clients know it. lasts: of a link to a file."""

    def __init__(
        self, keys: KeyRing, base: str, lasts: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._keys, self._base, self._lasts, self._clock = keys, base.rstrip("/"), lasts, clock
        self._derived: dict[str, bytes] = {}

    def upload(self, upload_id: str, expires_at: datetime) -> str:
        """Where the bytes of a file are to be sent."""
        ticket = UploadTicket(upload_id, int(expires_at.timestamp()))
        return f"{self._base}{UPLOADS}/{self._signed(ticket)}"

    def download(self, caller: Caller, attachment_id: str) -> tuple[str, datetime]:
        """Where a file can be read by this caller, and until when."""
        until = int(min(self._clock() + self._lasts, caller.expires_at).timestamp())
        if caller.staff:
            ticket = DownloadTicket(
                attachment_id,
                until,
                client_id=caller.name,
                account_id=next(iter(caller.scope.ids), None),
                scopes=tuple(sorted(caller.scopes)),
            )
        else:
            ticket = DownloadTicket(attachment_id, until, caller.contact_id, caller.session_id)
        return f"{self._base}{DOWNLOADS}/{self._signed(ticket)}", datetime.fromtimestamp(until, UTC)

    def read(self, text: str, kind: type[T]) -> T | None:
        """The ticket that an address holds, None for one that is not ours or whose time is over."""
        said, _, rest = text.partition(".")
        signature, _, kid = rest.partition(".")
        now = self._clock().timestamp()
        key = self._keys.verifying(kid, now)
        if len(text) > _LONGEST or not text.isascii() or key is None:
            return None
        if not hmac.compare_digest(self._signature(key, said), signature):
            return None
        try:
            ticket: T = msgspec.json.decode(_unpacked(said), type=kind)
        except (msgspec.MsgspecError, ValueError):
            return None
        return ticket if ticket.expires_at > now else None

    def _signed(self, ticket: Ticket) -> str:
        said = _packed(msgspec.json.encode(ticket))
        key = self._keys.signing
        return f"{said}.{self._signature(key, said)}.{key.kid}"

    def _signature(self, key: RingKey, said: str) -> str:
        derived = self._derived.get(key.kid)
        if derived is None:
            secret = str(key.key.as_dict(private=True)["d"]).encode()
            derived = hmac.digest(secret, b"portal gateway: links to files", "sha256")
            self._derived = {key.kid: derived}
        return _packed(hmac.digest(derived, said.encode(), "sha256")[:_SIGNATURE])


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpacked(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
