"""Customers and orders from Tryton 8, over its REST API with an application key."""

from __future__ import annotations

from connectors.kit.connector import Connector, Wiring
from connectors.port.sources import System
from connectors.systems.tryton.client import Tryton
from connectors.systems.tryton.customers import Customers
from connectors.systems.tryton.orders import Orders
from connectors.systems.tryton.settings import TrytonSettings


async def _open(source: str, settings: TrytonSettings, wiring: Wiring) -> System:
    tryton = Tryton(source, settings, wiring)
    return System(
        source,
        customers=Customers(tryton, settings),
        orders=Orders(tryton, settings),
        check=tryton.check,
        close=tryton.close,
    )


connector = Connector("tryton", TrytonSettings, _open)
