"""The entry points to cases."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from connectors.port.pages import Slice
from connectors.port.queries import CaseQuery
from schema.access import CASES_READ, Anonymous, Authorized
from schema.cases.filters import CaseBy, CaseWhere, ask, case_query, narrowed
from schema.cases.loaders import cases_by_id
from schema.cases.types import Case, CaseCategory
from schema.context import Context
from schema.errors import InputError
from schema.nodes import key_of
from schema.pages import After, Before, CountedConnection, First, Last
from schema.price import asks
from schema.selection import selected, selects
from schema.texts import N_
from schema.words import code


@strawberry.input(one_of=True, description="Which case: by exactly one of these.")
class CaseLookup:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id."
    )
    number: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its number, with or without leading zeros."
    )


@strawberry.type
class CaseQueries:
    @strawberry.field(
        directives=[Authorized(scope=CASES_READ)],
        metadata=asks("cases"),
        description="One case of the viewer's accounts. Null when there is none.",
    )
    async def case(
        self,
        info: strawberry.Info,
        by: Annotated[CaseLookup, strawberry.argument(description="Which one.")],
    ) -> Case | None:
        context: Context = info.context
        scope = context.scope
        fields = selected(info)
        found: Any
        if by.id:
            found = await cases_by_id(context, [key_of("by.id", by.id, "Case")], fields)
            return found[0]  # type: ignore[no-any-return]
        number = code("by.number", by.number or None)
        if number is None:
            raise InputError("by", N_("{argument} is empty: give an id or a number."))
        if not scope:
            return None
        query = CaseQuery(scope, fields | {"created_at"}, Slice(1), number=number)
        found = (await ask(context, query)).nodes
        return found[0] if found else None

    @strawberry.field(
        directives=[Authorized(scope=CASES_READ)],
        metadata=asks("cases"),
        description="Cases of the viewer's accounts, newest first unless ordered otherwise.",
    )
    async def cases(
        self,
        info: strawberry.Info,
        filter: CaseWhere = None,  # noqa: A002
        order_by: CaseBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> CountedConnection[Case] | None:
        context: Context = info.context
        asked = filter.account_ids if filter else None
        query = case_query(
            context,
            narrowed(context, asked, "filter.accountIds"),
            selected(info),
            selects(info, "totalCount"),
            filter,
            order_by,
            first,
            after,
            last,
            before,
        )
        found: Any = await ask(context, query)
        return found  # type: ignore[no-any-return]

    @strawberry.field(
        directives=[Anonymous()],
        description="The kinds of case that can be opened, with the form each asks for. Open to "
        "anonymous callers.",
    )
    def case_categories(self, info: strawberry.Info) -> list[CaseCategory]:
        context: Context = info.context
        found: Any = context.catalogue.categories
        return found  # type: ignore[no-any-return]
