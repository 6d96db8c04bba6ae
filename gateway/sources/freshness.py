"""How long answers of systems are kept, by what they are about: the table `[cache]`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Kind(StrEnum):
    """What answers are about. The value is the key in the settings."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    CASES = "cases"
    ORDERS = "orders"
    NEWS = "news"
    QUESTIONS = "questions"

    #: A text's: Enum's own is a call, and every question looks kinds up.
    __hash__ = str.__hash__


#: What belongs to nobody: no write of ours changes it, and everybody may be told the same.
PUBLIC: Final = frozenset({Kind.NEWS, Kind.QUESTIONS})


class Freshness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds that an answer is as good as new; those after that it may still be given while a new
    one is fetched; and those that it may be given when its system does not answer."""

    seconds: Seconds = 0.0
    revalidate_seconds: Seconds = 0.0
    error_seconds: Seconds = 0.0

    @property
    def kept(self) -> float:
        """Seconds that an answer is of any use."""
        return self.seconds + max(self.revalidate_seconds, self.error_seconds)


class CacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """enabled: whether answers are kept at all; equal questions at the same time are asked once in
    any case. entries, megabytes: in one process. missing_seconds: how long it is believed that
    there is no such record. One freshness for each kind."""

    enabled: bool = True
    entries: Annotated[int, msgspec.Meta(ge=1)] = 20_000
    megabytes: Annotated[float, msgspec.Meta(gt=0)] = 64.0
    missing_seconds: Seconds = 5.0
    accounts: Freshness = Freshness(seconds=10)
    contacts: Freshness = Freshness(seconds=5)
    cases: Freshness = Freshness()
    orders: Freshness = Freshness()
    news: Freshness = Freshness(seconds=60, revalidate_seconds=600, error_seconds=3_600)
    questions: Freshness = Freshness(seconds=60, revalidate_seconds=600, error_seconds=3_600)

    def of(self, kind: Kind) -> Freshness:
        found: Freshness = getattr(self, kind.value)
        return found if self.enabled else Freshness()
