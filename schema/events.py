"""What changed, and who wants to hear of it. `gateway.events` carries it.

An event says of what kind it is and whose it is, by ids alone. Nobody is shown anything because of
it: whoever hears of it reads again, in their own scope.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from schema.errors import ApiError
from schema.texts import N_


class What(StrEnum):
    """What happened."""

    CASE_OPENED = "CASE_OPENED"
    CASE_COMMENTED = "CASE_COMMENTED"
    CASE_FILE_ADDED = "CASE_FILE_ADDED"
    CASE_STATUS_CHANGED = "CASE_STATUS_CHANGED"
    #: What a customer sent was refused by the CRM after it had been taken in.
    CASE_REJECTED = "CASE_REJECTED"
    CONTACT_CHANGED = "CONTACT_CHANGED"
    #: Some submission went on in another process, which says no more: whoever shows them looks.
    SUBMISSIONS_CHANGED = "SUBMISSIONS_CHANGED"


@dataclass(frozen=True, slots=True)
class Event:
    """id: of the case or contact, account_id: whose it is ("" for a contact, who may be of several
    accounts); both as the CRM has them. alias: what a case was called before the CRM named it."""

    what: What
    id: str
    account_id: str = ""
    alias: str = ""


class Behind(ApiError):
    """More happened than whoever follows took in."""

    code = "SUBSCRIPTION_BEHIND"

    def __init__(self) -> None:
        super().__init__(N_("You took in changes too slowly. Subscribe again, and read anew."))


class Ended(ApiError):
    """What is followed is not the caller's any more."""

    code = "NOT_ALLOWED"

    def __init__(self) -> None:
        super().__init__(N_("What you follow is no longer yours to see."))


class Following(Protocol):
    """The events that one follower hears of, in order. None: some may have been missed, so read
    again. Raises Behind when the follower is too slow, after which nothing comes. Whoever has one
    closes it."""

    def __aiter__(self) -> AsyncIterator[Event | None]: ...

    async def aclose(self) -> None: ...


class Events(Protocol):
    """Tells of changes. Neither method waits for anybody."""

    def publish(self, event: Event) -> None:
        """Something was changed by this process, and is done: whoever reads now sees it."""
        ...

    def follow(self, accounts: Collection[str]) -> Following:
        """From now on, events of these accounts."""
        ...


class Silence:
    """Events where nobody listens: nothing is told and nothing is heard."""

    def publish(self, event: Event) -> None:
        return

    def follow(self, accounts: Collection[str]) -> Following:
        return _Nothing()


class _Nothing:
    async def __aiter__(self) -> AsyncIterator[Event | None]:
        return
        yield

    async def aclose(self) -> None:
        return
