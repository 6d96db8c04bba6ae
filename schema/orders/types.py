"""Orders with their lines, deliveries and invoices, as callers see them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from connectors.port import records
from schema.access import ORDERS_READ, Authorized
from schema.batched import batched
from schema.cases.types import Case
from schema.nodes import Node
from schema.orders import loaders
from schema.orders.filters import OrderStatus
from schema.owned import account_of_owned
from schema.pages import CountedConnection
from schema.recognition import instances_of
from schema.scalars import URL, Address, Money

if TYPE_CHECKING:
    from schema.customers.types import Account


@strawberry.enum(description="Where a delivery stands.")
class DeliveryStatus(Enum):
    PLANNED = strawberry.enum_value("PLANNED", description="Not begun.")
    PICKED = strawberry.enum_value("PICKED", description="Made ready in the warehouse.")
    SHIPPED = strawberry.enum_value("SHIPPED", description="On its way.")
    DELIVERED = strawberry.enum_value("DELIVERED", description="Arrived.")


@strawberry.type(description="What can be bought.")
class Product:
    code: str = strawberry.field(description="The seller's material number.")
    name: str = strawberry.field(description="What it is called on the order.")


@strawberry.type(description="One line of an order.")
class OrderLine:
    position: str = strawberry.field(description="Its number within the order: 10, 20.")
    product: Product = strawberry.field(description="What was bought.")
    quantity: Decimal = strawberry.field(description="How much was ordered.")
    unit: str = strawberry.field(description="Unit of the quantities, as the ERP writes it.")
    unit_price: Money | None = strawberry.field(description="Net price of one unit.")
    total: Money | None = strawberry.field(description="Net price of the line.")
    delivered_quantity: Decimal | None = strawberry.field(
        description="How much was delivered; null when the ERP does not tell."
    )


@strawberry.type(description="Goods of an order that travel together.")
class Delivery:
    number: str = strawberry.field(description="Number of the delivery document.")
    status: DeliveryStatus = strawberry.field(description="Where it stands.")
    planned_on: date | None = strawberry.field(description="When it should leave or arrive.")
    shipped_on: date | None = strawberry.field(description="When it left.")
    carrier: str | None = strawberry.field(description="Who carries it.")
    tracking_url: URL | None = strawberry.field(description="Where to follow it.")


@strawberry.type(description="A bill for goods of an order.")
class Invoice:
    number: str = strawberry.field(description="Its number.")
    issued_on: date = strawberry.field(description="The day it was issued.")
    due_on: date | None = strawberry.field(description="The day it is due; null: not told.")
    total: Money = strawberry.field(description="What it asks for, tax included.")
    outstanding: Money | None = strawberry.field(
        description="What is still owed of it; null when the ERP does not tell."
    )


@strawberry.type(
    description="An order of a customer. From the ERP.", directives=[Authorized(scope=ORDERS_READ)]
)
class Order(Node):
    number: str = strawberry.field(description="The number that people quote.")
    customer_reference: str | None = strawberry.field(
        description="The customer's own purchase order reference."
    )
    status: OrderStatus = strawberry.field(description="Where it stands.")
    ordered_on: date = strawberry.field(description="The day of the order.")
    requested_delivery_on: date | None = strawberry.field(
        description="The day the customer asked for."
    )
    ship_to: Address | None = strawberry.field(description="Where it goes.")
    subtotal: Money | None = strawberry.field(description="Before freight and tax.")
    freight: Money | None = strawberry.field(description="Carriage; null when it is not told.")
    tax: Money | None = strawberry.field(description="Tax; null when it is not told.")
    total: Money = strawberry.field(description="What the order comes to.")
    account: Annotated[Account, strawberry.lazy("schema.customers.types")] | None = batched(
        account_of_owned, asks="customers", description="The customer it belongs to. From the CRM."
    )
    lines: CountedConnection[OrderLine] | None = batched(
        loaders.lines_of_order,
        asks="orders",
        embeds="lines",
        description="What was ordered, by position.",
    )
    deliveries: list[Delivery] | None = batched(
        loaders.deliveries_of_order,
        asks="orders",
        embeds="deliveries",
        description="Its deliveries.",
    )
    invoices: list[Invoice] | None = batched(
        loaders.invoices_of_order,
        asks="orders",
        embeds="invoices",
        description="Its invoices, but cancelled.",
    )
    cases: CountedConnection[Case] | None = batched(
        loaders.cases_of_order,
        asks="cases",
        needs=("number",),
        description="Cases about this order, newest first. From the CRM.",
    )

    is_type_of = instances_of(records.Order)
