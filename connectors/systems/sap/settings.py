"""What an operator says about an SAP: where it is, how we log on, what its letters mean here."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from connectors.kit.http import HttpSettings
from connectors.port.records import OrderStatus

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9_./;=~-]*[A-Za-z0-9_]", re.ASCII)


def _names(*names: str) -> None:
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"not the name of a property: {name!r}")


def _paths(*paths: str) -> None:
    for path in paths:
        if _PATH.fullmatch(path) is None or ".." in path:
            raise ValueError(f"not a path of a service: {path!r}")


class Basic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A communication user (cloud) or a system user (on premise)."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Basic(user={self.user!r}, password=...)"


class OAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """OAuth client credentials, RFC 6749 4.4. token_url: as the communication arrangement shows it.
    scope: only where the client is set up for one."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None

    def __repr__(self) -> str:
        return f"OAuth(token_url={self.token_url!r}, client_id={self.client_id!r}, ...)"


class Services(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The path of each service on the host: tenants and releases differ in version suffixes."""

    sales_order: str = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
    sales_order_v4: str = "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001"
    outbound_delivery: str = "/sap/opu/odata/sap/API_OUTBOUND_DELIVERY_SRV"
    billing_document: str = "/sap/opu/odata/sap/API_BILLING_DOCUMENT_SRV"
    business_partner: str = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"

    def __post_init__(self) -> None:
        _paths(*(str(getattr(self, field)) for field in self.__struct_fields__))


class StatusRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order has `status` when each property of `when` holds one of its letters. "*" stands for
    any value but the empty one, "" for the empty one. Properties go by their V2 names."""

    status: OrderStatus
    when: dict[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if not self.when or not all(self.when.values()):
            raise ValueError("a status rule needs a property, and letters for it")
        _names(*self.when)


#: The first rule that fits gives the status; an order that fits none has `status_otherwise`.
#: Letters: A not begun, B partly, C completely, "" not relevant.
STATUS_RULES: tuple[StatusRule, ...] = (
    StatusRule(status=OrderStatus.CANCELLED, when={"OverallSDDocumentRejectionSts": ("C",)}),
    StatusRule(status=OrderStatus.BLOCKED, when={"TotalBlockStatus": ("B", "C")}),
    StatusRule(status=OrderStatus.BLOCKED, when={"DeliveryBlockReason": ("*",)}),
    StatusRule(status=OrderStatus.BLOCKED, when={"HeaderBillingBlockReason": ("*",)}),
    StatusRule(status=OrderStatus.INVOICED, when={"OverallOrdReltdBillgStatus": ("C",)}),
    StatusRule(status=OrderStatus.DELIVERED, when={"OverallTotalDeliveryStatus": ("C",)}),
    StatusRule(status=OrderStatus.IN_DELIVERY, when={"OverallTotalDeliveryStatus": ("B",)}),
    # Completely processed with nothing to deliver: a service that was rendered.
    StatusRule(status=OrderStatus.DELIVERED, when={"OverallSDProcessStatus": ("C",)}),
    StatusRule(status=OrderStatus.CONFIRMED, when={"OverallSDProcessStatus": ("B",)}),
)


class Credit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where this company publishes credit positions: no service for them is the same everywhere.

    path and entity_set: an OData V2 service of the company. The others name its properties."""

    path: str
    entity_set: str
    customer: str
    currency: str
    limit: str | None = None
    exposure: str | None = None

    def __post_init__(self) -> None:
        _paths(self.path)
        _names(self.entity_set, self.customer, self.currency)
        _names(*filter(None, (self.limit, self.exposure)))


class Deliveries(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which properties of a delivery's header say what S/4HANA has no field for.

    planned_on: the day promised. carrier, tracking: properties that hold a carrier's name and a
    tracking number here. tracking_url: an address that holds `{tracking}`."""

    planned_on: str = "PlannedGoodsIssueDate"
    carrier: str | None = None
    tracking: str | None = None
    tracking_url: str | None = None

    def __post_init__(self) -> None:
        _names(self.planned_on, *filter(None, (self.carrier, self.tracking)))
        url = self.tracking_url
        if url is not None and not (url.startswith("https://") and "{tracking}" in url):
            raise ValueError("tracking_url must be an https address that holds {tracking}")
        if (url is None) != (self.tracking is None):
            raise ValueError("tracking and tracking_url are given together or not at all")


class Invoices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the letters of billing documents mean here.

    other_categories: those that are no invoice: N cancellation, O credit memo, S its cancellation,
    U pro forma. cleared, unpaid: clearing letters of an invoice that was paid whole or not at all.
    """

    other_categories: tuple[str, ...] = ("N", "O", "S", "U")
    cleared: tuple[str, ...] = ("C",)
    unpaid: tuple[str, ...] = ("A",)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table of an SAP system in portal.toml. README.md explains each key."""

    url: str
    basic: Basic | None = None
    oauth: OAuth | None = None
    sap_client: str | None = None
    language: str = "en"
    services: Services = Services()
    http: HttpSettings = HttpSettings()

    sales_orders: Literal["v2", "v4"] = "v2"
    prices: Literal["gross", "net"] = "gross"
    tax_of_rejected_items: bool = False
    ship_to: Literal["order", "partner", "none"] = "order"
    ship_to_functions: tuple[str, ...] = ("SH", "WE")
    status_rules: tuple[StatusRule, ...] = STATUS_RULES
    status_otherwise: OrderStatus = OrderStatus.OPEN
    units: dict[str, str] = {}
    deliveries: Deliveries = Deliveries()
    invoices: Invoices = Invoices()
    credit: Credit | None = None

    case_insensitive_search: bool = False
    search_in_number: Literal["contains", "exact"] = "contains"
    padded_keys: bool = False
    url_limit_bytes: int = 8_000
    keys_per_question: int = 200
    long_questions: Literal["split", "batch"] = "split"
    max_pages: int = 20

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https?://[^/?#\s@]+/?", self.url):
            raise ValueError("url must be an address without a path: https://host or http://host")
        if (self.basic is None) == (self.oauth is None):
            raise ValueError("give either `basic` or `oauth`")
        if self.sap_client is not None and not re.fullmatch(r"[0-9]{3}", self.sap_client):
            raise ValueError("sap_client must be three digits")
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", self.language):
            raise ValueError("language must be a language tag")
        if not 1_000 <= self.url_limit_bytes <= 64_000:
            raise ValueError("url_limit_bytes must be from 1000 to 64000")
        if self.keys_per_question < 1 or self.max_pages < 1:
            raise ValueError("keys_per_question and max_pages must be at least 1")
