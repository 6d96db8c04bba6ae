"""Turns what callers filter cases by into a question of the port, and asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated
from zoneinfo import ZoneInfo

import strawberry

from connectors.port import records
from connectors.port.fields import Fields
from connectors.port.pages import Keyset
from connectors.port.queries import CaseQuery, CaseSort
from connectors.port.scope import Scope
from schema.context import Context
from schema.dates import DateRange, days
from schema.errors import InputError
from schema.nodes import key_of
from schema.pages import After, Before, First, Last, Listing, Order, wanted
from schema.scalars import SortDirection
from schema.texts import N_
from schema.words import code, words

#: What a case is ordered by that has no number yet: it comes after all numbers.
UNNUMBERED = "~"


def _by_number(case: records.Case) -> Keyset:
    return Keyset(case.number or UNNUMBERED, case.id)


ORDERS = {
    CaseSort.CREATED_AT: Order("created_at", datetime),
    CaseSort.UPDATED_AT: Order("updated_at", datetime),
    CaseSort.NUMBER: Order("number", str, _by_number),
}


@strawberry.enum(description="Where a case stands.")
class CaseStatus(Enum):
    SUBMITTED = strawberry.enum_value(
        "SUBMITTED", description="Taken in, on its way to the CRM, which has not confirmed it yet."
    )
    REJECTED = strawberry.enum_value(
        "REJECTED", description="The CRM did not take it; its timeline says why."
    )
    NEW = strawberry.enum_value("NEW", description="The service team has it and will begin.")
    IN_PROGRESS = strawberry.enum_value("IN_PROGRESS", description="The service team works on it.")
    WAITING_ON_CUSTOMER = strawberry.enum_value(
        "WAITING_ON_CUSTOMER", description="The service team has asked something back."
    )
    RESOLVED = strawberry.enum_value("RESOLVED", description="Answered; may be opened again.")
    CLOSED = strawberry.enum_value("CLOSED", description="Over.")


@strawberry.enum(description="The three kinds of case.")
class CaseKind(Enum):
    QUERY = strawberry.enum_value("QUERY", description="A question.")
    CLAIM = strawberry.enum_value("CLAIM", description="Something went wrong.")
    REQUEST = strawberry.enum_value("REQUEST", description="Something is needed.")


@strawberry.enum(description="What cases can be ordered by.")
class CaseOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it was opened.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="When it last changed.")
    NUMBER = strawberry.enum_value("number", description="Its number.")


@strawberry.input(description="Conditions on cases; all that are given must hold.")
class CaseFilter:
    number: str | None = strawberry.field(
        default=None, description="The case's number, with or without leading zeros."
    )
    kinds: list[CaseKind] | None = strawberry.field(default=None, description="Any of these kinds.")
    categories: list[str] | None = strawberry.field(
        default=None, description="Any of these categories, by code: see `caseCategories`."
    )
    subcategories: list[str] | None = strawberry.field(
        default=None, description="Any of these subcategories, by code: see `caseCategories`."
    )
    statuses: list[CaseStatus] | None = strawberry.field(
        default=None, description="Any of these statuses."
    )
    created_on: DateRange | None = strawberry.field(
        default=None,
        description="Opened between these days, in the time zone of the account's country.",
    )
    account_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of these accounts alone."
    )
    search: str | None = strawberry.field(
        default=None,
        description="Words that it must hold: in the subject, and in the description where the CRM "
        "can search there.",
    )


@strawberry.input(description="How to order cases.")
class CaseOrder:
    field: CaseOrderField = strawberry.field(description="What to order by.")
    direction: SortDirection = strawberry.field(description="Which end comes first.")


CaseWhere = Annotated[
    CaseFilter | None, strawberry.argument(description="Which cases; all if not told.")
]
CaseBy = Annotated[
    CaseOrder | None, strawberry.argument(description="In which order; newest first if not told.")
]


def narrowed(context: Context, account_ids: Iterable[str] | None, argument: str) -> Scope:
    """The caller's scope, or the part of it that a filter names. Naming an account that is not the
    caller's is an error, the same whether it exists or not."""
    scope = context.scope
    if account_ids is None:
        return scope
    keys = [key_of(argument, value, "Account") for value in account_ids]
    if any(scope.by_id(key) is None for key in keys):
        raise InputError(argument, N_("{argument} names an account that is not yours."))
    return scope.narrowed(keys)


def case_query(
    context: Context,
    scope: Scope,
    fields: Fields,
    with_total: bool,
    filter: CaseFilter | None,  # noqa: A002
    order_by: CaseOrder | None,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> CaseQuery:
    """The port's question. Raises InputError, which names the argument, before anyone is asked."""
    sort = CaseSort[order_by.field.name] if order_by else CaseSort.CREATED_AT
    asked = filter or CaseFilter()
    since, until = days("filter.createdOn", asked.created_on)
    zone = context.desks.default_zone
    if since or until:
        zone = context.desks.zone(account.country for account in scope)
    known = context.catalogue
    return CaseQuery(
        scope=scope,
        fields=fields | {sort.value},
        part=wanted(ORDERS[sort], first, after, last, before),
        number=code("filter.number", asked.number),
        categories=known.categories_of(
            "filter.categories",
            asked.categories,
            None if asked.kinds is None else [kind.name for kind in asked.kinds],
        ),
        subcategories=known.subcategories_of("filter.subcategories", asked.subcategories),
        statuses=None
        if asked.statuses is None
        else tuple(records.CaseStatus(status.name) for status in asked.statuses),
        created_from=midnight(since, zone) if since else None,
        created_before=midnight(until + timedelta(days=1), zone) if until else None,
        search=words("filter.search", asked.search),
        sort=sort,
        descending=order_by is None or order_by.direction is SortDirection.DESC,
        with_total=with_total,
    )


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins in a time zone."""
    return datetime.combine(day, time(), zone)


async def ask(context: Context, query: CaseQuery) -> Listing:
    """The page of cases that a question asks for."""
    page = await context.sources.cases.find_cases(query)
    return Listing.of(page, ORDERS[query.sort])


async def cases_of_account(
    parents: Sequence[records.Account],
    context: Context,
    fields: Fields,
    counted: bool,
    filter: CaseWhere = None,  # noqa: A002
    order_by: CaseBy = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Sequence[Listing | BaseException]:
    """Each account's own page. Questions of one tick travel together where the system can."""
    if filter and filter.account_ids is not None:
        raise InputError("filter.accountIds", N_("{argument} is told by the account itself here."))

    async def one(parent: records.Account) -> Listing:
        scope = context.scope.narrowed([parent.id])
        query = case_query(
            context, scope, fields, counted, filter, order_by, first, after, last, before
        )
        return await ask(context, query)

    return await asyncio.gather(*map(one, parents), return_exceptions=True)
