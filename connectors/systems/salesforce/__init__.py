"""The connector of Salesforce: customers, cases and knowledge over REST and SOQL."""

from __future__ import annotations

from connectors.kit.connector import Connector, Wiring
from connectors.port.sources import System
from connectors.systems.salesforce.case_writing import CaseWriter
from connectors.systems.salesforce.cases import Cases
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.customers import Customers
from connectors.systems.salesforce.knowledge import News, Questions
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.writing import CustomerWriter

__all__ = ["connector"]


async def _open(source: str, settings: Settings, wiring: Wiring) -> System:
    client = Client(source, settings, wiring)
    knowledge = settings.knowledge
    serves = knowledge.serves if knowledge else ()
    return System(
        name=source,
        customers=Customers(client, settings, wiring.clock),
        customer_writer=CustomerWriter(client, settings, wiring.clock),
        cases=Cases(client, settings),
        case_writer=CaseWriter(client, settings, settings.writes) if settings.writes else None,
        news=News(client, knowledge, settings.url) if knowledge and "news" in serves else None,
        questions=Questions(client, knowledge) if knowledge and "questions" in serves else None,
        check=client.check,
        close=client.close,
    )


connector = Connector("salesforce", Settings, _open)
