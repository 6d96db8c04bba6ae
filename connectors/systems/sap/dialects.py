"""What the two sales order services call the same things. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.kit.odata.expressions import Version
from connectors.systems.sap.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """One OData service. path: on the host, without a slash at its end."""

    path: str
    version: Version = Version.V2


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names in which the services differ; all others are the same in both.

    address: the navigation from a partner to its address, None where there is none.
    """

    service: Service
    orders: str
    items: str
    schedule_lines: str
    partners: str
    address: str | None
    product: str
    unit: str
    delivery_status: str

    def local(self, name: str) -> str:
        """This dialect's name of a header property that settings name as V2 does."""
        return self.delivery_status if name == "OverallTotalDeliveryStatus" else name


def of(settings: Settings) -> Dialect:
    """The dialect that the settings choose."""
    if settings.sales_orders == "v4":
        return Dialect(
            Service(settings.services.sales_order_v4, Version.V4),
            orders="SalesOrder",
            items="_Item",
            schedule_lines="_ScheduleLine",
            partners="_Partner",
            address=None,
            product="Product",
            unit="RequestedQuantitySAPUnit",
            delivery_status="OverallDeliveryStatus",
        )
    return Dialect(
        Service(settings.services.sales_order),
        orders="A_SalesOrder",
        items="to_Item",
        schedule_lines="to_ScheduleLine",
        partners="to_Partner",
        address="to_Address",
        product="Material",
        unit="RequestedQuantityUnit",
        delivery_status="OverallTotalDeliveryStatus",
    )
