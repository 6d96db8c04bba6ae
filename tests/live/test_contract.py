"""The contract of connectors on a real Tryton: every rule that needs a system that answers."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.port.scope import AccountRef, Scope
from tests.contract.rules import Trial, hold, trials
from tests.contract.world import Facts, Filter
from tests.contract.worlds.tryton import real, unknown
from tests.live.tryton.documents import ANDINA, HORIZONTE, PACIFICO, PLATA, Outcome, customer
from tests.live.tryton.server import TrytonServer

pytestmark = [pytest.mark.live, pytest.mark.anyio]

OWN, FOREIGN = (ANDINA, HORIZONTE), (PACIFICO, PLATA)
#: Outcomes of documents that were shipped, and that were billed.
SHIPPED = {Outcome.WAITING, Outcome.SENT, Outcome.PAID}
BILLED = {Outcome.INVOICED, Outcome.PAID}


@pytest.mark.parametrize("trial", trials(iter(["tryton"]), live=True), ids=str)
async def test_rule(trial: Trial, tryton_server: TrytonServer) -> None:
    await hold(trial, real(tryton_server.table, _facts(tryton_server)))


def _facts(server: TrytonServer) -> Facts:
    held = server.seeded

    def scope(numbers: tuple[str, ...]) -> Scope:
        parties = held.parties
        return Scope(AccountRef(str(parties[n]), n, customer(n).country) for n in numbers)

    def keys(numbers: tuple[str, ...]) -> dict[str, list[Any]]:
        documents = held.documents_of(*numbers)
        sites = [customer(number).site for number in numbers]
        people = [email for email in held.people if email.partition("@")[2] in sites]
        # Whoever acted for an account until yesterday is nobody's any more.
        people = [email for email in people if not email.startswith("elsa.antes")]
        return {
            "account": [str(held.parties[number]) for number in numbers],
            "account_ref": list(scope(numbers)),
            "contact": [str(held.people[email]) for email in people],
            "email": people,
            "order": [str(held.sales[one.number]) for one in documents],
            "order_number": [one.number for one in documents],
            "delivered_order": [
                str(held.sales[one.number]) for one in documents if one.outcome in SHIPPED
            ],
            "billed_order": [
                str(held.sales[one.number]) for one in documents if one.outcome in BILLED
            ],
        }

    own, foreign = keys(OWN), keys(FOREIGN)
    return Facts(
        scope=scope(OWN),
        others=scope(FOREIGN),
        own=own,
        foreign=foreign,
        unknown=unknown,
        queries={"contacts_by_account": {"account_id": own["account"][0]}},
        filters={
            "contacts_by_account": [
                Filter({"account_id": own["account"][0]}, {"account_id": foreign["account"][0]})
            ],
            "find_orders": [
                Filter({"number": own["order_number"][0]}, {"number": foreign["order_number"][0]}),
                Filter({"customer_reference": "O'Higgins"}, {"customer_reference": "PED-7"}),
            ],
        },
        totals={"find_orders": len(own["order"])},
    )
