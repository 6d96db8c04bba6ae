"""The account that a record belongs to, for every kind of record that has one."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.port import records
from connectors.port.fields import NOT_FETCHED, Fields
from schema.batched import each
from schema.context import Context
from schema.nodes import found

Owned = records.Case | records.Order | records.Contact


async def account_of_owned(
    parents: Sequence[Owned], context: Context, fields: Fields
) -> Sequence[records.Account | None]:
    """Embedded where the system gave it, else by id."""
    embedded = [getattr(parent, "account", NOT_FETCHED) for parent in parents]
    missing = [
        parent.owner.id if account is NOT_FETCHED else None
        for parent, account in zip(parents, embedded, strict=True)
    ]
    others = await each(missing, lambda ids: found("Account", context, ids, fields))
    return [
        other if account is NOT_FETCHED else account
        for account, other in zip(embedded, others, strict=True)
    ]
