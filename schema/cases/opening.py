"""Checks a new case as a whole, and makes of it what a CRM takes. Nothing is kept before all of it
is right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import strawberry

from connectors.port import records
from connectors.port.errors import SourceError
from connectors.port.scope import AccountRef, Scope
from schema.access import MembershipRole, check_role_for
from schema.cases import answers
from schema.cases.answers import Answer
from schema.cases.forms import LONG_TEXT, SUBJECT, Category, FormField, Subcategory, taken
from schema.context import Context
from schema.nodes import key_of
from schema.problems import ProblemCode
from schema.texts import N_
from schema.user_errors import REQUIRED, Bounds
from schema.written import lines, one_line

if TYPE_CHECKING:
    from schema.cases.inputs import CreateCaseInput

#: Seconds that a new case waits for the ERP.
PATIENCE = 3.0
#: What is asked of an order: that it is there, and what people call it.
_ORDER = frozenset({"id", "number"})
_NOT_THEIRS = N_("Your company has no such order.")
#: Of an order that nobody was asked for, or nobody could say.
_UNKNOWN = object()
_Known = Sequence[records.Order | None] | None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is to be opened. known: whether the catalogue has it."""

    category: Category
    subcategory: Subcategory | None
    known: bool

    @property
    def own(self) -> Category | Subcategory:
        return self.subcategory or self.category

    @property
    def form(self) -> tuple[FormField, ...]:
        inner = self.subcategory.form if self.subcategory else ()
        return (*self.category.form, *inner)


@dataclass(frozen=True, slots=True)
class _Named:
    """The order that an id names, and the field of the form that it answers, if there is one."""

    kind: _Kind
    key: str | None

    @property
    def field(self) -> str | None:
        numbers = (field.name for field in self.kind.form if field.type == "ORDER_NUMBER")
        return next(numbers, None)

    @property
    def fills(self) -> list[str]:
        return [self.field] if self.key and self.field else []


@dataclass(frozen=True, slots=True)
class FilledIn:
    """What becomes of a form that was filled in. sent: what the client wrote, in its shape; the
    language of the request and what the ERP says change the case, but not that."""

    case: records.NewCase
    sent: Sequence[object]


async def new_case(info: strawberry.Info, bounds: Bounds, sent: CreateCaseInput) -> FilledIn:
    """The case that was sent; with problems in `bounds`, it is none that may be kept. Raises
    NotAllowed and InputError."""
    context: Context = info.context
    account = await account_of(info, bounds, sent.account_id)
    kind = _kind(bounds, context, sent.category, sent.subcategory)
    named = _Named(kind, key_of("input.orderId", sent.order_id, "Order") if sent.order_id else None)
    subject = one_line(sent.subject or "")
    bounds.written(("subject",), subject, SUBJECT)
    description = _description(bounds, sent.description, kind.own.description_max_length)
    good: list[Answer] = []
    if kind.known:
        good = answers.answers(bounds, kind.form, sent.details or [], named.fills)
    scope = context.scope.narrowed([account.id]) if account else context.scope
    number, values = await _with_orders(context, bounds, scope, named, good)
    caller = context.required_caller()
    case = records.NewCase(
        account=account or AccountRef(""),
        category=kind.category.code,
        subcategory=kind.subcategory.code if kind.subcategory else None,
        subject=subject or kind.own.label.of(context.language),
        description=description,
        created_at=context.clock(),
        details=answers.details(
            bounds, [(f, values[f.name]) for f in kind.form if f.name in values]
        ),
        contact_id=caller.contact_id or None,
        order_number=number,
        team=kind.own.team,
    )
    written = [[answer.field.name, answer.value] for answer in good]
    input_ = [sent.category, sent.subcategory, subject, description, written, named.key]
    return FilledIn(case, input_)


async def account_of(
    info: strawberry.Info, bounds: Bounds, account_id: str | None
) -> AccountRef | None:
    """The account that is named, or the only one. Raises NotAllowed for one for which the caller
    may open no cases, the same where there is none."""
    scope = info.context.scope
    if account_id is None and len(scope.accounts) > 1:
        text = N_("You act for several companies: say for which.")
        bounds.tell(ProblemCode.REQUIRED, text, "accountId")
        return None
    only = scope.accounts[0].id if scope.accounts else ""
    key = only if account_id is None else key_of("input.accountId", account_id, "Account")
    await check_role_for(info, key, MembershipRole.MEMBER)
    account: AccountRef | None = scope.by_id(key)
    return account


def _kind(bounds: Bounds, context: Context, category: str, subcategory: str | None) -> _Kind:
    known = next((c for c in context.catalogue.categories if c.code == category), None)
    found = known or context.catalogue.category(category)
    inner = next((s for s in found.subcategories if s.code == subcategory), None)
    if known is None:
        code, text, where = ProblemCode.INVALID, N_("There is no such category."), "category"
    elif subcategory and inner is None:
        text = N_("This category has no such subcategory.")
        code, where = ProblemCode.INVALID, "subcategory"
    elif found.subcategories and inner is None:
        code, text, where = ProblemCode.REQUIRED, REQUIRED, "subcategory"
    else:
        return _Kind(found, inner, known=True)
    bounds.tell(code, text, where)
    return _Kind(found, inner, known=False)


def _description(bounds: Bounds, text: str, most: int | None) -> str:
    shaped = lines(text)
    good = bounds.written(("description",), shaped, most or LONG_TEXT, needed=True)
    if good and taken(shaped) > LONG_TEXT:
        too_long = N_("This is too long: line breaks and emoji count twice. Shorten it a bit.")
        bounds.tell(ProblemCode.TOO_LONG, too_long, "description")
    return shaped


async def _with_orders(
    context: Context, bounds: Bounds, scope: Scope, named: _Named, good: Sequence[Answer]
) -> tuple[str | None, dict[str, str]]:
    """The number of the order that the case is about, and all that was filled in. What was written
    stays as it is, whether the ERP answers or not."""
    written = [one for one in good if one.field.type == "ORDER_NUMBER"]
    by_id, by_number = await _orders(context, scope, named, written)
    known = dict(zip((one.field.name for one in written), by_number or (), strict=False))
    for one in written:
        if known.get(one.field.name, _UNKNOWN) is None:
            bounds.tell(ProblemCode.NOT_FOUND, _NOT_THEIRS, *one.path)
    values = {one.field.name: one.value for one in good}
    number = _number(bounds, named, by_id, known.get(named.field or ""))
    if named.field and number:
        number = values.setdefault(named.field, number)
    return number or values.get(named.field or ""), values


def _number(
    bounds: Bounds, named: _Named, by_id: _Known, written: records.Order | None
) -> str | None:
    """The number of the order that an id names. written: the order whose number the form has."""
    if named.key is None:
        return None
    if by_id is None:
        # Nobody can say its number now. This cannot be taken for another order's.
        return f"ID {named.key}"
    if by_id[0] is None:
        bounds.tell(ProblemCode.NOT_FOUND, _NOT_THEIRS, "orderId")
        return None
    if written is not None and written.id != by_id[0].id:
        text = N_("This is another order than the form names.")
        bounds.tell(ProblemCode.CONFLICT, text, "orderId")
    return by_id[0].number


async def _orders(
    context: Context, scope: Scope, named: _Named, written: Sequence[Answer]
) -> tuple[_Known, _Known]:
    """The order that an id names, and those whose numbers were written: one question each, at the
    same time. None for all that the ERP cannot say now: a case must not wait for it."""
    orders = context.sources.orders
    return await asyncio.gather(
        _asked(orders.orders_by_id, [named.key] if named.key else [], scope),
        _asked(orders.orders_by_number, [one.value for one in written], scope),
    )


async def _asked(ask: Any, keys: Sequence[str], scope: Scope) -> _Known:
    """None when it cannot say, or not soon. A question is left to end by itself: others may wait
    for the same answer."""
    if not keys:
        return []
    question: asyncio.Future[_Known] = asyncio.ensure_future(ask(keys, _ORDER, scope))
    await asyncio.wait({question}, timeout=PATIENCE)
    if not question.done():
        question.add_done_callback(_unheard)
        return None
    try:
        return question.result()
    except SourceError:
        return None


def _unheard(question: asyncio.Future[_Known]) -> None:
    """Nobody waits for it any more; what it failed with is not worth a word in the log."""
    if not question.cancelled():
        question.exception()
