"""SAP S/4HANA over OData: orders with lines, deliveries and invoices, and customers' addresses."""

from __future__ import annotations

from connectors.kit.connector import Connector, Wiring
from connectors.port.sources import System
from connectors.systems.sap import dialects
from connectors.systems.sap.client import SapClient
from connectors.systems.sap.orders import SapOrders
from connectors.systems.sap.settings import Settings


async def _open(source: str, settings: Settings, wiring: Wiring) -> System:
    client = SapClient(source, settings, wiring)
    service = dialects.of(settings).service

    async def check() -> None:
        await client.reach("check", service)

    return System(
        name=source,
        orders=SapOrders(client, settings, wiring.clock),
        check=check,
        close=client.close,
    )


connector = Connector(name="sap", settings=Settings, open=_open)
