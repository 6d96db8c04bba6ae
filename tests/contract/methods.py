"""What can be asked of a system, found in the port's protocols, with an example for each method.

A method of the port that has no line in EXAMPLES fails the suite.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.port import sources
from connectors.port.fields import NOT_FETCHED, Fields, nested
from connectors.port.pages import Keyset, Page
from connectors.port.queries import CaseQuery, ContactQuery, NewsQuery, OrderQuery, QuestionQuery
from connectors.port.records import (
    Account,
    Address,
    Attachment,
    Case,
    CaseComment,
    CaseDetail,
    CaseStatusChange,
    Contact,
    ContactChanges,
    CreditPosition,
    Delivery,
    Identity,
    Invoice,
    MembershipRole,
    NewCase,
    NewComment,
    NewContact,
    NewFile,
    NewsArticle,
    OpenedCase,
    Order,
    OrderLine,
    Question,
)
from connectors.port.scope import AccountRef


@dataclass(frozen=True, slots=True)
class One:
    """Asked by one key of a kind. record: what is answered."""

    kind: str
    record: type[Any]


@dataclass(frozen=True, slots=True)
class Many:
    """Asked by many keys of a kind. named_by: the attribute of the record that equals the key."""

    kind: str
    record: type[Any]
    named_by: str | None = None


@dataclass(frozen=True, slots=True)
class Paged:
    """Asked by a query. ordered_by: what its list is ordered by, unless the query's `sort` says."""

    query: type[Any]
    record: type[Any]
    ordered_by: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read to its end, in place of the `Content` that was answered."""

    owner: AccountRef
    size: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Streamed:
    """Asked by one key of a kind, and answered with a file as it comes."""

    kind: str
    record: type[Any] = Read


@dataclass(frozen=True, slots=True)
class Write:
    """Changes something. make: its arguments but for the scope, out of a key of a kind; the second
    is what is to be written, where the first is a key of the gateway's."""

    kind: str
    make: Callable[[Any], Sequence[Any]]
    record: type[Any] = Contact


def _somebody(account: Any) -> NewContact:
    return NewContact(account, "nadie@andina.example", "Nadie Todavía", MembershipRole.READER)


#: Of every write with a key.
KEY = "5d8e7b2c-1c1f-4a55-9f0e-3a41f0f4b7d2"


def _case(account: Any) -> NewCase:
    moment = datetime(2026, 11, 18, 15, 29, tzinfo=UTC)
    details = (CaseDetail("site", "Obra Norte"),)
    return NewCase(account, "QUERY", "¿Cuándo?", "El pedido de ayer.", moment, details=details)


def _comment(case: Any) -> NewComment:
    return NewComment(case, "Gracias.")


async def _bytes() -> AsyncIterator[bytes]:
    yield b"a small "
    yield b"file"


def _file(case: Any) -> NewFile:
    return NewFile(case, "nota.txt", "text/plain", 12, _bytes)


#: By method. Kinds are what a world holds keys of, see world.Facts.
EXAMPLES: Mapping[str, One | Many | Paged | Streamed | Write] = {
    "identity_by_email": One("email", Identity),
    "identity_by_contact": One("contact", Identity),
    "accounts_by_id": Many("account", Account, "id"),
    "contacts_by_id": Many("contact", Contact, "id"),
    "contacts_by_account": Paged(ContactQuery, Contact, "name"),
    "update_contact": Write("contact", lambda key: (key, ContactChanges(phone="+57 1 555"))),
    "ensure_contact": Write("account_ref", lambda account: (_somebody(account),)),
    "find_cases": Paged(CaseQuery, Case),
    "cases_by_id": Many("case", Case, "id"),
    "cases_by_order": Many("order_of_case", Case),
    "comments_by_case": Many("discussed_case", CaseComment),
    "attachments_by_case": Many("case_with_files", Attachment),
    "comments_by_id": Many("comment", CaseComment, "id"),
    "attachments_by_id": Many("attachment", Attachment, "id"),
    "status_changes_by_case": Many("changed_case", CaseStatusChange),
    "attachment_content": Streamed("attachment"),
    "open_case": Write("account_ref", lambda account: (KEY, _case(account)), OpenedCase),
    "add_comment": Write("open_case", lambda case: (KEY, _comment(case)), str),
    "add_file": Write("open_case", lambda case: (KEY, _file(case)), str),
    "close_case": Write("open_case", lambda case: (case,), bool),
    "find_orders": Paged(OrderQuery, Order),
    "orders_by_id": Many("order", Order, "id"),
    "orders_by_number": Many("order_number", Order, "number"),
    "lines_by_order": Many("order", OrderLine),
    "deliveries_by_order": Many("delivered_order", Delivery),
    "invoices_by_order": Many("billed_order", Invoice),
    "credit_by_account": Many("account_ref", CreditPosition),
    "shipping_addresses_by_account": Many("account_ref", Address),
    "find_news": Paged(NewsQuery, NewsArticle, "published_at"),
    "news_by_id": Many("article", NewsArticle, "id"),
    "news_by_slug": Many("slug", NewsArticle, "slug"),
    "find_questions": Paged(QuestionQuery, Question, "position"),
    "questions_by_id": Many("question", Question, "id"),
}

#: Parameters that the rules know how to fill, besides keys.
PARAMETERS = frozenset({"fields", "scope", "part", "locale", "query", "first"})

#: Records that a system may embed or leave to a method of their own.
EMBEDDED = (Account, Contact, OrderLine, Delivery, Invoice)


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a protocol. noun: the attribute of System that has it. takes: its parameters."""

    noun: str
    name: str
    takes: tuple[str, ...]
    example: One | Many | Paged | Streamed | Write

    def __str__(self) -> str:
        return self.name

    @property
    def record(self) -> type[Any]:
        return self.example.record

    @property
    def scoped(self) -> bool:
        """Whether it asks for what belongs to customers, in a scope."""
        asked = self.example.query if isinstance(self.example, Paged) else None
        return "scope" in (names_of(asked) if asked else self.takes)

    @property
    def selects(self) -> bool:
        """Whether it is told which attributes are wanted."""
        asked = self.example.query if isinstance(self.example, Paged) else None
        return "fields" in (names_of(asked) if asked else self.takes)

    @property
    def writes(self) -> bool:
        return isinstance(self.example, Write)

    @property
    def once(self) -> bool:
        """Whether it changes something under a key of the gateway's."""
        return self.writes and self.takes[0] == "key"

    @property
    def keyed(self) -> bool:
        return isinstance(self.example, Many)

    @property
    def streamed(self) -> bool:
        return isinstance(self.example, Streamed)

    @property
    def paged(self) -> bool:
        return isinstance(self.example, Paged)


def names_of(record: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record))


def protocols() -> dict[str, type[Any]]:
    """The protocol behind each noun of a System."""
    found = {}
    for noun, hint in typing.get_type_hints(sources.System).items():
        for choice in typing.get_args(hint):
            if getattr(choice, "_is_protocol", False):
                found[noun] = choice
    return found


def declared(protocol: type[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each method with its parameters."""
    for name, function in vars(protocol).items():
        if inspect.iscoroutinefunction(function):
            yield name, tuple(inspect.signature(function).parameters)[1:]


def methods(system: sources.System) -> list[Method]:
    """What a system can be asked, in the order of the port."""
    return [
        Method(noun, name, takes, EXAMPLES[name])
        for noun, protocol in protocols().items()
        if getattr(system, noun) is not None
        for name, takes in declared(protocol)
        if name in EXAMPLES
    ]


# ------------------------------------------------------------------------------------- attributes


def optional(record: type[Any]) -> dict[str, type[Any] | None]:
    """The attributes that are there only if they are asked for, with the record that they embed."""
    hints = typing.get_type_hints(record)
    return {
        field.name: _embedded(hints[field.name])
        for field in fields(record)
        if field.default is NOT_FETCHED
    }


def _embedded(hint: Any) -> type[Any] | None:
    if isinstance(hint, type) and hint in EMBEDDED:
        return hint
    inner = typing.get_args(hint) if not isinstance(hint, types.GenericAlias) else hint.__args__
    return next((found for one in inner if (found := _embedded(one)) is not None), None)


def whole(record: type[Any]) -> Fields:
    """Everything that can be asked of a record, and of those inside it."""
    wanted: set[str] = set()
    for name, inner in optional(record).items():
        wanted.add(name)
        if inner is not None:
            plain = (attribute for attribute, deeper in optional(inner).items() if deeper is None)
            wanted |= nested(name, plain)
    return frozenset(wanted)


def texts(query: type[Any]) -> Iterator[tuple[str, bool]]:
    """The attributes of a query that hold a text, and whether they hold several."""
    for name, hint in typing.get_type_hints(query).items():
        choices = set(typing.get_args(hint)) if type(None) in typing.get_args(hint) else {hint}
        if str in choices:
            yield name, False
        elif tuple[str, ...] in choices:
            yield name, True


# ---------------------------------------------------------------------------------------- answers


def is_hole(answer: object) -> bool:
    """Nothing: None, no items."""
    if isinstance(answer, Page):
        return not answer.items
    return answer is None or (isinstance(answer, list | tuple) and not answer)


def records(answer: object) -> Iterator[Any]:
    """Every record in an answer, embedded ones too."""
    if isinstance(answer, Page):
        yield from records(answer.items)
    elif isinstance(answer, list | tuple):
        for one in answer:
            yield from records(one)
    elif is_dataclass(answer) and not isinstance(answer, type):
        yield answer
        for name in names_of(type(answer)):
            if name != "owner":
                yield from records(getattr(answer, name))


def place(item: Any, ordered_by: str) -> Keyset:
    return Keyset(getattr(item, ordered_by), item.id)
