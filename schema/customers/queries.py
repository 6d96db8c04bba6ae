"""The entry points to customers."""

from __future__ import annotations

from typing import Any

import strawberry

from schema.access import CUSTOMERS_READ, Anonymous, Authorized
from schema.context import Context
from schema.customers.loaders import accounts_by_id, contacts_by_id
from schema.customers.types import Account, Contact, Viewer
from schema.nodes import GlobalId, key_of
from schema.price import asks
from schema.selection import selected


@strawberry.type
class CustomerQueries:
    @strawberry.field(
        directives=[Anonymous()],
        description="Who is asking. Null without a valid access token, or for a program.",
    )
    def viewer(self, info: strawberry.Info) -> Viewer | None:
        context: Context = info.context
        caller: Any = context.caller
        return None if caller is None or caller.staff else caller

    @strawberry.field(
        directives=[Authorized(scope=CUSTOMERS_READ)],
        metadata=asks("customers"),
        description="One account that the viewer may act for. Null otherwise.",
    )
    async def account(
        self,
        info: strawberry.Info,
        id: GlobalId,  # noqa: A002
    ) -> Account | None:
        context: Context = info.context
        keys = [key_of("id", id, "Account")]
        found: Any = await accounts_by_id(context, keys, selected(info))
        return found[0]  # type: ignore[no-any-return]

    @strawberry.field(
        directives=[Authorized(scope=CUSTOMERS_READ)],
        metadata=asks("customers"),
        description="One person of the viewer's accounts. Null otherwise.",
    )
    async def contact(
        self,
        info: strawberry.Info,
        id: GlobalId,  # noqa: A002
    ) -> Contact | None:
        context: Context = info.context
        keys = [key_of("id", id, "Contact")]
        found: Any = await contacts_by_id(context, keys, selected(info))
        return found[0]  # type: ignore[no-any-return]
