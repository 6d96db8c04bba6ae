"""Which methods of the port may be answered from memory, and how their arguments are to be read.

A method that is not listed always goes to its system: identities (whoever asks for them keeps them,
see `gateway.access.callers`), bytes of files, writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.port.pages import Page
from connectors.port.records import (
    Account,
    Address,
    Attachment,
    Case,
    CaseComment,
    CaseStatusChange,
    Contact,
    CreditPosition,
    Delivery,
    Invoice,
    NewsArticle,
    Order,
    OrderLine,
    Question,
)
from connectors.port.scope import Scope
from gateway.sources.freshness import PUBLIC, Kind


@dataclass(frozen=True, slots=True)
class Method:
    """One method. answer: the type of one answer. each: whether its first argument is a list, each
    item of which has an answer of its own; else it takes one query."""

    kind: Kind
    answer: Any
    each: bool = True

    def scope(self, arguments: Sequence[Any]) -> Scope | None:
        """Whose data a question may touch; None for what belongs to nobody. Raises TypeError for a
        question without a scope that needs one: it must not be answered from memory. arguments: the
        query alone, or those that follow the list."""
        if self.kind in PUBLIC:
            return None
        if not self.each:
            scope = getattr(arguments[0], "scope", None)
        else:
            scope = next((one for one in arguments if isinstance(one, Scope)), None)
        if not isinstance(scope, Scope):
            raise TypeError("a question for a customer's data without a scope")
        return scope


METHODS: Final = {
    "accounts_by_id": Method(Kind.ACCOUNTS, Account | None),
    "contacts_by_id": Method(Kind.CONTACTS, Contact | None),
    "contacts_by_account": Method(Kind.CONTACTS, Page[Contact], each=False),
    "find_cases": Method(Kind.CASES, Page[Case], each=False),
    "cases_by_id": Method(Kind.CASES, Case | None),
    "cases_by_order": Method(Kind.CASES, Page[Case]),
    "comments_by_case": Method(Kind.CASES, list[CaseComment]),
    "attachments_by_case": Method(Kind.CASES, list[Attachment]),
    "comments_by_id": Method(Kind.CASES, CaseComment | None),
    "attachments_by_id": Method(Kind.CASES, Attachment | None),
    "status_changes_by_case": Method(Kind.CASES, list[CaseStatusChange]),
    "find_orders": Method(Kind.ORDERS, Page[Order], each=False),
    "orders_by_id": Method(Kind.ORDERS, Order | None),
    "orders_by_number": Method(Kind.ORDERS, Order | None),
    "lines_by_order": Method(Kind.ORDERS, list[OrderLine]),
    "deliveries_by_order": Method(Kind.ORDERS, list[Delivery]),
    "invoices_by_order": Method(Kind.ORDERS, list[Invoice]),
    "credit_by_account": Method(Kind.ORDERS, CreditPosition | None),
    "shipping_addresses_by_account": Method(Kind.ORDERS, list[Address] | None),
    "find_news": Method(Kind.NEWS, Page[NewsArticle], each=False),
    "news_by_id": Method(Kind.NEWS, NewsArticle | None),
    "news_by_slug": Method(Kind.NEWS, NewsArticle | None),
    "find_questions": Method(Kind.QUESTIONS, Page[Question], each=False),
    "questions_by_id": Method(Kind.QUESTIONS, Question | None),
}
