"""Answers what belongs to many customers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from connectors.port import records
from connectors.port.fields import Fields
from connectors.port.pages import Keyset
from connectors.port.queries import ContactQuery
from schema.batched import each
from schema.context import Context
from schema.nodes import finds
from schema.pages import After, First, Listing, Order, wanted

#: What an account's reference tells without asking anyone.
_KNOWN = frozenset({"id", "number", "country"})

BY_NAME = Order("name", str, at=lambda contact: Keyset(contact.name, contact.id))


@finds("Account", asks="customers")
async def accounts_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.Account | None]:
    scope = context.scope
    if fields <= _KNOWN:
        return [_account(ref) if ref else None for ref in map(scope.by_id, ids)]
    seen = [key for key in ids if scope.by_id(key)]
    ask = context.sources.customers.accounts_by_id
    found = dict(zip(seen, await ask(seen, fields, scope), strict=True)) if seen else {}
    return [found.get(key) for key in ids]


@finds("Contact", asks="customers")
async def contacts_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.Contact | None]:
    return await context.sources.customers.contacts_by_id(ids, fields, context.scope)


def _account(ref: records.AccountRef) -> records.Account:
    return records.Account(id=ref.id, owner=ref, number=ref.number, country=ref.country)


async def account_of_membership(
    parents: Sequence[records.Membership], context: Context, fields: Fields
) -> Sequence[records.Account | None]:
    return await each(
        [parent.account.id for parent in parents],
        lambda ids: accounts_by_id(context, ids, fields),
    )


async def contacts_of_account(
    parents: Sequence[records.Account],
    context: Context,
    fields: Fields,
    first: First = None,
    after: After = None,
) -> Sequence[Listing | BaseException]:
    part = wanted(BY_NAME, first, after)

    async def ask(parent: records.Account) -> Listing:
        query = ContactQuery(context.scope, fields | {"name"}, parent.id, part)
        return Listing.of(await context.sources.customers.contacts_by_account(query), BY_NAME)

    return await asyncio.gather(*map(ask, parents), return_exceptions=True)


async def shipping_addresses_of_account(
    parents: Sequence[records.Account], context: Context, fields: Fields
) -> Sequence[list[records.Address] | None]:
    owners = [parent.owner for parent in parents]
    return await context.sources.orders.shipping_addresses_by_account(owners, context.scope)


async def credit_of_account(
    parents: Sequence[records.Account], context: Context, fields: Fields
) -> Sequence[records.CreditPosition | None]:
    owners = [parent.owner for parent in parents]
    return await context.sources.orders.credit_by_account(owners, context.scope)


async def contact_of_viewer(
    parents: Sequence[object], context: Context, fields: Fields
) -> Sequence[records.Contact | None]:
    caller = context.required_caller()
    found = await contacts_by_id(context, [caller.contact_id], fields)
    return [found[0]] * len(parents)
