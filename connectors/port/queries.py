"""The questions for lists: what is wanted, of whom, in which order, which part of it.

Every value in a query is data. It was checked for type and length before it came here, and a
connector puts it into a question only through its language's literal builder.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from connectors.port.fields import Fields
from connectors.port.pages import Slice
from connectors.port.records import CaseStatus, OrderStatus, QuestionTopic
from connectors.port.scope import Scope


class CaseSort(StrEnum):
    """What cases can be ordered by. The value is the attribute of the record."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    NUMBER = "number"


class OrderSort(StrEnum):
    """What orders can be ordered by. The value is the attribute of the record. Which of two numbers
    comes first is the system's own to say: some compare text, some length first."""

    ORDERED_ON = "ordered_on"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Cases of the scope that meet every given condition. None: no condition.

    categories and subcategories are codes of the catalogue. A record matches `categories` by its
    category. created_from and created_before are instants, half open. search: words, each found in
    subject or description. order_numbers: cases about any of these orders.
    """

    scope: Scope
    fields: Fields
    part: Slice
    number: str | None = None
    categories: tuple[str, ...] | None = None
    subcategories: tuple[str, ...] | None = None
    statuses: tuple[CaseStatus, ...] | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    search: str | None = None
    order_numbers: tuple[str, ...] | None = None
    sort: CaseSort = CaseSort.CREATED_AT
    descending: bool = True
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Orders of the scope that meet every given condition. None: no condition.

    number is the whole number, with or without leading zeros. customer_reference and search match
    anywhere inside, whatever the case where the system can; search looks at number and customer
    reference. Days are inclusive.
    """

    scope: Scope
    fields: Fields
    part: Slice
    search: str | None = None
    number: str | None = None
    customer_reference: str | None = None
    ordered_from: date | None = None
    ordered_to: date | None = None
    statuses: tuple[OrderStatus, ...] | None = None
    sort: OrderSort = OrderSort.ORDERED_ON
    descending: bool = True
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """The people of one account of the scope, by name and id."""

    scope: Scope
    fields: Fields
    account_id: str
    part: Slice


@dataclass(frozen=True, slots=True)
class NewsQuery:
    """Published news, newest first. locale is a BCP 47 tag: an article matches by its language.
    country: articles for that country or for all. tags: any of them. Days are inclusive, UTC."""

    fields: Fields
    part: Slice
    locale: str | None = None
    country: str | None = None
    tags: tuple[str, ...] | None = None
    search: str | None = None
    published_from: date | None = None
    published_to: date | None = None


@dataclass(frozen=True, slots=True)
class QuestionQuery:
    """Frequent questions in one language, in reading order. search: words, each found in question
    or answer, whatever their case and accents."""

    locale: str
    part: Slice
    topic: QuestionTopic | None = None
    search: str | None = None
