"""The settings of a Tryton: where it is, whose company, and how it says roles, dates and states."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from connectors.kit.http import HttpSettings
from connectors.port.records import DeliveryStatus, MembershipRole, OrderStatus

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class StatusRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A status of ours, and the states of a sale that it stands for. An empty list: any state.

    state, shipment, invoice: values of Tryton's `state`, `shipment_state` and `invoice_state`.
    """

    status: OrderStatus
    state: tuple[str, ...] = ()
    shipment: tuple[str, ...] = ()
    invoice: tuple[str, ...] = ()

    @property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        """By Tryton's field, without those that any state meets."""
        named = {
            "state": self.state,
            "shipment_state": self.shipment,
            "invoice_state": self.invoice,
        }
        return {name: states for name, states in named.items() if states}


_AT_WORK = ("processing", "done")
_BILLED = ("awaiting payment", "partially paid", "paid")

#: A sale has the status of the first rule that it meets.
STATUSES = (
    StatusRule(status=OrderStatus.CANCELLED, state=("cancelled",)),
    StatusRule(status=OrderStatus.DRAFT, state=("draft",)),
    StatusRule(status=OrderStatus.OPEN, state=("quotation",)),
    StatusRule(status=OrderStatus.BLOCKED, shipment=("exception",)),
    StatusRule(status=OrderStatus.BLOCKED, invoice=("exception",)),
    StatusRule(
        status=OrderStatus.INVOICED, state=_AT_WORK, shipment=("sent", "none"), invoice=_BILLED
    ),
    StatusRule(status=OrderStatus.DELIVERED, state=_AT_WORK, shipment=("sent",)),
    StatusRule(status=OrderStatus.DELIVERED, state=("done",)),
    StatusRule(status=OrderStatus.IN_DELIVERY, state=_AT_WORK, shipment=("partially shipped",)),
    StatusRule(status=OrderStatus.CONFIRMED),
)

_DELIVERIES = {
    "draft": DeliveryStatus.PLANNED,
    "waiting": DeliveryStatus.PLANNED,
    "assigned": DeliveryStatus.PLANNED,
    "picked": DeliveryStatus.PICKED,
    "packed": DeliveryStatus.PICKED,
    "shipped": DeliveryStatus.SHIPPED,
    "done": DeliveryStatus.DELIVERED,
}

_RELATIONS = {
    "Portal admin of": MembershipRole.ADMIN,
    "Portal member of": MembershipRole.MEMBER,
    "Portal reader of": MembershipRole.READER,
}


class TrytonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of portal.toml with `connector = "tryton"`.

    url: of the server, without the database. key: of a user application named `rest`, confirmed by
    its user. company: id of the company whose sales these are; None: of all that the user has.
    language: Tryton's code of the language in which `relations` are named and products are told.
    relations: names of relation types from a person to a customer, with the role each gives.
    dated_by: which date an order's day is. tax_identifiers: types of identifiers that hold a tax
    number, "" for untyped ones; empty: the ones that Tryton takes for it. statuses: see StatusRule,
    the last one must take any state. deliveries: our status for each state of a shipment.
    number_digits: to how many digits the sequence of sales fills up with zeros; 0: it does not.
    """

    url: str
    database: str
    key: str
    company: int | None = None
    language: str = "en"
    relations: dict[str, MembershipRole] = msgspec.field(default_factory=lambda: dict(_RELATIONS))
    dated_by: Literal["sale_date", "quotation_date"] = "sale_date"
    tax_identifiers: tuple[str, ...] = ()
    statuses: tuple[StatusRule, ...] = STATUSES
    deliveries: dict[str, DeliveryStatus] = msgspec.field(default_factory=lambda: dict(_DELIVERIES))
    number_digits: int = 0
    http: HttpSettings = HttpSettings()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("`url` must be the http or https address of the server")
        if parts.username or parts.password:
            raise ValueError("`url` may not hold a password: use `key`")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("a key may travel by https only")
        if not self.database or not self.key:
            raise ValueError("`database` and `key` may not be empty")
        if not self.relations:
            raise ValueError("`relations` must name at least one relation type")
        if not self.statuses or self.statuses[-1].conditions:
            raise ValueError("the last of `statuses` must take any state")
        if not 0 <= self.number_digits <= 20:
            raise ValueError("`number_digits` must be from 0 to 20")

    def __repr__(self) -> str:
        # The generated one would show the key.
        return f"TrytonSettings({self.url!r}, {self.database!r}, ...)"

    __str__ = __repr__
