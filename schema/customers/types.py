"""Accounts, contacts and memberships, as callers see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from connectors.port import records
from schema.access import CUSTOMERS_READ, ORDERS_READ, Authorized, MembershipRole
from schema.batched import batched, derived
from schema.cases.filters import cases_of_account
from schema.cases.types import Case
from schema.customers import loaders
from schema.nodes import Node
from schema.orders.filters import orders_of_account
from schema.orders.types import Order
from schema.owned import account_of_owned
from schema.pages import Connection, CountedConnection
from schema.price import Asks
from schema.recognition import instances_of
from schema.scalars import Address, CountryCode, EmailAddress, LanguageTag, Money


@strawberry.type(
    description="What may be owed, what is owed and what is left, from the ERP.",
    directives=[Authorized(scope=ORDERS_READ)],
)
class CreditPosition:
    limit: Money | None = strawberry.field(description="Most that may be owed.")
    exposure: Money | None = strawberry.field(description="What is owed or ordered already.")
    available: Money | None = strawberry.field(description="What may still be ordered.")


@strawberry.type(
    description="A commercial customer: a company.", directives=[Authorized(scope=CUSTOMERS_READ)]
)
class Account(Node):
    number: str | None = strawberry.field(
        description="The customer number that CRM and ERP both know."
    )
    name: str = strawberry.field(description="The company's name.")
    tax_id: str | None = strawberry.field(
        description="Tax number, as the country writes it: NIT, RUC, RUT, CUIT, CNPJ."
    )
    country: CountryCode | None = strawberry.field(description="Country of the company.")
    phone: str | None = strawberry.field(description="The company's telephone number.")
    billing_address: Address | None = strawberry.field(description="Where invoices go.")
    shipping_addresses: list[Address] | None = batched(
        loaders.shipping_addresses_of_account,
        asks="orders",
        description="Where goods can be delivered, from the ERP. Null when it does not answer.",
    )
    credit_position: CreditPosition | None = batched(
        loaders.credit_of_account,
        asks="orders",
        description="Credit limit and use, from the ERP. Null when it keeps or tells none.",
    )
    contacts: Connection[Contact] | None = batched(
        loaders.contacts_of_account,
        asks=Asks("customers", apart=True),
        description="The company's people, by name.",
    )
    cases: CountedConnection[Case] | None = batched(
        cases_of_account,
        asks=Asks("cases", apart=True),
        description="The company's cases, newest first unless ordered otherwise.",
    )
    orders: CountedConnection[Order] | None = batched(
        orders_of_account,
        asks=Asks("orders", apart=True),
        needs=("number",),
        description="The company's orders, newest first unless ordered otherwise. From the ERP.",
    )

    is_type_of = instances_of(records.Account)


@strawberry.type(
    description="A person at a commercial customer.", directives=[Authorized(scope=CUSTOMERS_READ)]
)
class Contact(Node):
    name: str = strawberry.field(description="Full name.")
    given_name: str | None = strawberry.field(description="First name.")
    family_name: str | None = strawberry.field(description="Last name.")
    email: EmailAddress | None = strawberry.field(description="Also the name to sign in with.")
    phone: str | None = strawberry.field(description="Telephone number.")
    job_title: str | None = strawberry.field(description="What the person does at the company.")
    locale: LanguageTag | None = strawberry.field(description="The language they like to read.")
    account: Account | None = batched(
        account_of_owned,
        asks="customers",
        embeds="account",
        description="The company through which the viewer sees this person.",
    )

    is_type_of = instances_of(records.Contact)


@strawberry.type(description="That a person may act for an account.")
class Membership:
    account: Account | None = batched(
        loaders.account_of_membership,
        asks="customers",
        description="The account that may be acted for.",
    )
    role: MembershipRole = strawberry.field(description="What may be done for it.")


@strawberry.type(description="Who is asking.")
class Viewer:
    name: str = strawberry.field(description="Full name.")
    email: EmailAddress = strawberry.field(description="The address they sign in with.")
    contact: Contact | None = batched(
        loaders.contact_of_viewer,
        asks="customers",
        description="All that the CRM knows of this person.",
    )
    memberships: list[Membership] = strawberry.field(
        description="The accounts this person may act for. Empty: not a commercial customer yet."
    )

    session_expires_at: datetime = derived(
        lambda caller, context: caller.expires_at, description="When the access token ends."
    )
