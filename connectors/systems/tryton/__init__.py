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


#: Rules of the contract that a method cannot meet which never asks.
_RULES_OF_ANSWERS = (
    "answers_in_key_order",
    "hides_what_is_foreign",
    "drops_foreign_rows",
    "survives_unknown_fields",
    "names_missing_fields",
    "answers_after_a_retry",
    "names_every_failure",
    "leaks_nothing",
    "keeps_the_deadline",
    "retries_when_it_helps",
    "does_not_retry_in_vain",
)

connector = Connector(
    "tryton",
    TrytonSettings,
    _open,
    exempt={
        f"{rule}:credit_by_account": "Without a module that few have, Tryton keeps no credit."
        for rule in _RULES_OF_ANSWERS
    },
)
