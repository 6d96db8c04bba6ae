"""A world of customers, every value of which says whose it is.

Texts hold a mark ("q0007z") of the record they belong to, at least; numbers, days and amounts are
kept in a register with their owners. An owner is an account's id, or `myself(...)` of a person.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from connectors.port.records import (
    Account,
    Address,
    Attachment,
    Case,
    CaseComment,
    CaseStatusChange,
    Contact,
    CreditPosition,
    MembershipRole,
    Money,
    NewsArticle,
    Order,
    Question,
)
from schema.cases.service import Rejection

#: What every clock says in a world. A Wednesday.
NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
MARK = re.compile(r"q\d{4}z", re.IGNORECASE)

V = TypeVar("V", bound=str | int | date)
Owners = frozenset[str]


def myself(contact_id: str) -> str:
    """The owner that stands for a person, who may always see what is theirs."""
    return f"person {contact_id}"


@dataclass(slots=True, repr=False)
class Marks:
    """Whose every mark and every distinguishable value is. Values are kept as JSON has them; one
    that several may see, or that happens to be equal, has all of them as owners."""

    marks: dict[str, Owners] = field(default_factory=dict)
    values: dict[str | int, Owners] = field(default_factory=dict)
    _count: int = 0

    def mark(self, owners: Owners) -> str:
        """A new mark."""
        self._count += 1
        text = f"q{self._count:04}z"
        self.marks[text] = owners
        return text

    def share(self, text: str, owners: Owners) -> None:
        """The marks in a text are theirs too."""
        for mark in MARK.findall(text):
            self.marks[mark.lower()] |= owners

    def value(self, value: V, owners: Owners) -> V:
        """The value, which is now known to be theirs."""
        plain: str | int
        plain = value.isoformat() if isinstance(value, date) else value
        self.values[plain] = self.values.get(plain, frozenset()) | owners
        return value

    def day(self, owners: Owners) -> date:
        """A day that is nobody else's."""
        self._count += 1
        return self.value(date(2012, 1, 1) + timedelta(days=self._count), owners)

    def moment(self, owners: Owners) -> datetime:
        """A moment that is nobody else's; nothing derived has such microseconds."""
        self._count += 1
        at = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(hours=5 * self._count, microseconds=7)
        return self.value(at, owners)

    def money(self, owners: Owners) -> Money:
        """An amount that is nobody else's."""
        self._count += 1
        amount = Decimal(700_000 + self._count) + Decimal("0.07")
        self.value(str(amount), owners)
        return Money(amount, "COP")

    def quantity(self, owners: Owners) -> Decimal:
        """A quantity that is nobody else's."""
        self._count += 1
        amount = Decimal(800_000 + self._count) + Decimal("0.007")
        self.value(str(amount), owners)
        return amount

    def size(self, owners: Owners) -> int:
        """A number of bytes that is nobody else's."""
        self._count += 1
        return self.value(9_000_000 + self._count, owners)

    def address(self, owners: Owners) -> Address:
        """An address that is nobody else's, up to its country."""
        mark = self.mark(owners)
        letters = divmod(self._count, 26)
        country = f"{chr(65 + letters[0] % 26)}{chr(65 + letters[1])}"
        return Address(
            line1=f"Calle {mark}",
            line2=f"Piso {mark}",
            city=f"Ciudad {mark}",
            region=f"Región {mark}",
            postal_code=mark,
            country=country,
        )


@dataclass(frozen=True, slots=True)
class Relation:
    """That a person may act for an account, or might once have."""

    account_id: str
    role: MembershipRole
    active: bool = True
    valid_from: date | None = None
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        """Whether the person may act for the account on a day."""
        begun = self.valid_from is None or self.valid_from <= day
        return self.active and begun and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Person:
    """contact.owner is the direct account."""

    contact: Contact
    relations: tuple[Relation, ...] = ()

    @property
    def email(self) -> str:
        """The address as it is compared."""
        return (self.contact.email or "").lower()

    @property
    def accounts(self) -> Owners:
        """The accounts whose people see this person: the direct one, and those that the CRM calls
        active, whatever their days."""
        active = {relation.account_id for relation in self.relations if relation.active}
        return frozenset({self.contact.owner.id, *active})

    def leads(self, account_id: str, day: date) -> bool:
        """Whether this person is an ADMIN of an account on a day."""
        return MembershipRole.ADMIN in self._roles(account_id, day)

    def writes(self, account_id: str, day: date) -> bool:
        """Whether this person may open cases of an account on a day."""
        return bool(self._roles(account_id, day) - {MembershipRole.READER})

    def _roles(self, account_id: str, day: date) -> set[MembershipRole]:
        ways = (way for way in self.relations if way.account_id == account_id)
        return {way.role for way in ways if way.holds(day)}

    def may_see(self, day: date) -> Owners:
        """Everything whose data this person may see on a day."""
        valid = {r.account_id for r in self.relations if r.holds(day)}
        return frozenset(valid | {myself(self.contact.id)})


@dataclass(frozen=True, repr=False)
class World:
    """Everything that the systems hold. Records have all their attributes, but embed nothing but
    lines, deliveries and invoices; `owner` is the account that they really belong to."""

    accounts: Mapping[str, Account]
    people: Sequence[Person]
    cases: Sequence[Case]
    comments: Sequence[CaseComment]
    attachments: Sequence[Attachment]
    changes: Sequence[CaseStatusChange]
    rejections: Sequence[Rejection]
    orders: Sequence[Order]
    credits: Mapping[str, CreditPosition]
    addresses: Mapping[str, list[Address]]
    news: Sequence[NewsArticle]
    questions: Sequence[Question]
    marks: Marks

    def __repr__(self) -> str:
        return (
            f"World(accounts={[a.owner for a in self.accounts.values()]}, "
            f"people={[(p.contact.email, p.relations) for p in self.people]}, "
            f"orders={[(o.number, o.owner.id) for o in self.orders]}, "
            f"cases={[(c.number, c.owner.id, c.contact_id, c.order_number) for c in self.cases]})"
        )

    def only(self, owners: Iterable[str]) -> World:
        """The world in which nobody and nothing else than these ever was."""
        kept = frozenset(owners)
        accounts = {key: account for key, account in self.accounts.items() if key in kept}
        numbers = {account.number for account in accounts.values() if account.number}
        cases = [case for case in self.cases if case.owner.id in kept]
        known = {case.id for case in cases}
        emails = Counter(person.email for person in self.people)
        return replace(
            self,
            accounts=accounts,
            people=[
                person
                for person in self.people
                if kept & {*person.accounts, myself(person.contact.id)}
                # Who shares an address is seen by nobody, but nobody can sign in with it either.
                or emails[person.email] > 1
            ],
            cases=cases,
            comments=[comment for comment in self.comments if comment.case_id in known],
            attachments=[file for file in self.attachments if file.case_id in known],
            changes=[change for change in self.changes if change.case_id in known],
            rejections=[refused for refused in self.rejections if refused.case_id in known],
            orders=[order for order in self.orders if order.owner.number in numbers],
            credits={key: credit for key, credit in self.credits.items() if key in kept},
            addresses={key: found for key, found in self.addresses.items() if key in kept},
        )

    def of_number(self, number: str | None) -> Owners:
        """The accounts that have this customer number: a CRM may hold one twice."""
        same = (key for key, account in self.accounts.items() if account.number == number)
        return frozenset(same) if number else frozenset()
