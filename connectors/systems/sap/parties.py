"""What an SAP knows of a customer besides orders: addresses, and credit if it is told where.

An address is asked for by customer number, not by business partner: the two may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.kit.odata.answers import children, number, text
from connectors.kit.odata.expressions import Expression
from connectors.kit.odata.queries import Embedded, Query
from connectors.port.errors import Unreadable
from connectors.port.records import Address, CreditPosition, Money
from connectors.port.scope import AccountRef, Scope
from connectors.systems.sap.client import SapClient
from connectors.systems.sap.dialects import Service
from connectors.systems.sap.filters import one_of, questions
from connectors.systems.sap.keys import normal, normal_all
from connectors.systems.sap.settings import Credit, Settings
from connectors.systems.sap.translate import addresses_in_force, money

_SET, _CUSTOMER, _ADDRESSES = "A_BusinessPartner", "Customer", "to_BusinessPartnerAddress"
_ADDRESS_COLUMNS = (
    "AddressID",
    "StreetName",
    "HouseNumber",
    "StreetPrefixName",
    "District",
    "CityName",
    "Region",
    "PostalCode",
    "Country",
    "ValidityStartDate",
    "ValidityEndDate",
)


class Parties:
    """Addresses and credit by customer."""

    def __init__(
        self, client: SapClient, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    async def shipping_addresses_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[list[Address] | None]:
        shown = _shown(accounts, scope)
        customers = normal_all(filter(None, shown))
        found = await self.addresses("shipping_addresses_by_account", customers)
        return [found.get(customer or "") for customer in shown]

    async def addresses(self, operation: str, customers: Sequence[str]) -> dict[str, list[Address]]:
        """The addresses in force of each known customer, by normal number. One call."""
        service = Service(self._settings.services.business_partner)
        embedded = (Embedded(_ADDRESSES, _ADDRESS_COLUMNS),)

        def make(condition: Expression) -> Query:
            return Query(_SET, (_CUSTOMER,), embedded, filter=condition)

        required = {_CUSTOMER: "account", _ADDRESSES: "shipping_addresses"}
        found: dict[str, list[Address]] = {}
        try:
            for row in await self._rows(operation, service, make, _CUSTOMER, customers, required):
                customer = normal(text(row, _CUSTOMER))
                held = children(row, _ADDRESSES)
                if customer is not None:
                    rows = held.rows if held else []
                    found.setdefault(customer, []).extend(addresses_in_force(rows, self._clock()))
        except ValueError as error:
            raise Unreadable(self._client.source, f"{operation}: {error}") from None
        return found

    async def credit_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[CreditPosition | None]:
        credit = self._settings.credit
        if credit is None:
            return [None] * len(accounts)
        operation, shown = "credit_by_account", _shown(accounts, scope)
        columns = (credit.customer, credit.currency, credit.limit, credit.exposure)
        select = tuple(dict.fromkeys(filter(None, columns)))

        def make(condition: Expression) -> Query:
            return Query(credit.entity_set, select, filter=condition)

        customers = normal_all(filter(None, shown))
        service, required = Service(credit.path), {credit.customer: "account"}
        found: dict[str, CreditPosition] = {}
        try:
            for row in await self._rows(
                operation, service, make, credit.customer, customers, required
            ):
                found[normal(text(row, credit.customer)) or ""] = _position(row, credit)
        except ValueError as error:
            raise Unreadable(self._client.source, f"{operation}: {error}") from None
        return [found.get(customer) if customer else None for customer in shown]

    async def _rows(
        self,
        operation: str,
        service: Service,
        make: Callable[[Expression], Query],
        column: str,
        customers: Sequence[str],
        required: dict[str, str],
    ) -> list[dict[str, object]]:
        keys = one_of(column, customers, padded=self._settings.padded_keys)
        queries = list(
            questions(
                make,
                keys,
                (),
                version=service.version,
                room=self._client.room(service),
                limit=self._settings.keys_per_question,
            )
        )
        found = await self._client.ask(operation, service, lambda _: queries, required)
        return [row for answer in found for row in answer.rows]


def _shown(accounts: Sequence[AccountRef], scope: Scope) -> list[str | None]:
    """Each account's normal customer number, None where the scope does not hold it."""
    return [normal(account.number) if account in scope else None for account in accounts]


def _position(row: dict[str, object], credit: Credit) -> CreditPosition:
    currency = text(row, credit.currency)

    def amount(column: str | None) -> Money | None:
        value = number(row, column) if column else None
        return None if value is None else money(value, currency)

    limit, exposure = amount(credit.limit), amount(credit.exposure)
    left = (
        Money(limit.amount - exposure.amount, limit.currency)
        if limit is not None and exposure is not None
        else None
    )
    return CreditPosition(limit, exposure, left)
