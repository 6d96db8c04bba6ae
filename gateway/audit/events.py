"""What one line of the audit says. Whatever comes in is cut and cleaned; bodies never come in."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

#: Most characters of each part.
_LONGEST = {
    "event": 64,
    "outcome": 64,
    "who": 320,
    "whose": 320,
    "what": 500,
    "address": 64,
    "user_agent": 300,
    "request_id": 64,
}


class Outcome(StrEnum):
    """How it went. A refusal that has a code of its own says that code instead."""

    OK = "OK"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    event: "session.started", in small letters, the noun first. who: the address of a person, or the
    name of a client. whose: the account, or the person, that it was done to; "-" for nobody's.
    what: further words of ours, never a body or a secret. address: of the client.
    """

    at: datetime
    event: str
    who: str
    whose: str
    what: str
    outcome: str
    address: str
    user_agent: str
    request_id: str

    def __post_init__(self) -> None:
        for name, longest in _LONGEST.items():
            object.__setattr__(self, name, _clean(getattr(self, name), longest))

    def line(self) -> bytes:
        """The event as a line of JSON, with its end of line."""
        parts = asdict(self) | {"at": self.at.astimezone(UTC).isoformat()}
        return json.dumps(parts, ensure_ascii=False).encode() + b"\n"


def _clean(text: str, longest: int) -> str:
    """Without what a terminal, a log reader or a database could stumble over."""
    kept = "".join(
        letter if unicodedata.category(letter)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for letter in text[:longest]
    )
    return kept or "-"
