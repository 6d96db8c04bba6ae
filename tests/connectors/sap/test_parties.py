"""Addresses and credit of the scope's accounts."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.port.records import Address, CreditPosition, Money
from connectors.port.scope import AccountRef
from tests.connectors.sap.fake import ORDERS_V2, PARTNERS, FakeSap, Row, answer
from tests.connectors.sap.opened import ANDINA, BOTH, ONE, PACIFICO, opened

pytestmark = pytest.mark.anyio

STRANGER = AccountRef("acc-9", "17100009")


def address(city: str, start: str | None = None, end: str | None = None) -> Row:
    return {
        "AddressID": "1",
        "StreetName": "Calle",
        "HouseNumber": "5",
        "StreetPrefixName": "",
        "District": "Centro",
        "CityName": city,
        "Region": "11",
        "PostalCode": "110221",
        "Country": "CO",
        "ValidityStartDate": start,
        "ValidityEndDate": end,
    }


async def test_the_addresses_of_all_accounts_are_one_call() -> None:
    rows: list[Row] = [
        {"Customer": "17100001", "to_BusinessPartnerAddress": [address("Bogotá"), address("Cali")]},
        {"Customer": "17100002", "to_BusinessPartnerAddress": []},
    ]
    fake = FakeSap(tables={(PARTNERS, "A_BusinessPartner"): rows})
    async with opened(fake) as erp:
        asked = [PACIFICO, STRANGER, ANDINA, AccountRef("acc-5")]
        found = await erp.orders.shipping_addresses_by_account(asked, BOTH)
    bogota = Address("Calle 5", "Centro", "Bogotá", "11", "110221", "CO")
    cali = Address("Calle 5", "Centro", "Cali", "11", "110221", "CO")
    assert found == [[], None, [bogota, cali], None]
    assert len(fake.asked) == 1
    assert fake.options() == {
        "$select": (
            "Customer," + ",".join(f"to_BusinessPartnerAddress/{column}" for column in address("x"))
        ),
        "$expand": "to_BusinessPartnerAddress",
        "$filter": "Customer eq '17100002' or Customer eq '17100001'",
    }


async def test_an_account_that_sap_does_not_know_has_no_list() -> None:
    fake = FakeSap(tables={(PARTNERS, "A_BusinessPartner"): []})
    async with opened(fake) as erp:
        assert await erp.orders.shipping_addresses_by_account([ANDINA], ONE) == [None]
        assert await erp.orders.shipping_addresses_by_account([STRANGER], ONE) == [None]
    assert len(fake.asked) == 1


async def test_addresses_that_are_not_in_force_are_left_out() -> None:
    held = [
        address("Past", "/Date(0+0000)/", "/Date(86400000+0000)/"),
        address("Now", "/Date(0+0000)/", "/Date(253402300799000+0000)/"),
        address("Late", "/Date(0+0000)/", "/Date(253402387199000+0000)/"),
        address("Future", "/Date(253402214400000+0000)/", None),
    ]
    rows = [{"Customer": "17100001", "to_BusinessPartnerAddress": held}]
    fake = FakeSap(tables={(PARTNERS, "A_BusinessPartner"): rows})
    async with opened(fake, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as erp:
        (found,) = await erp.orders.shipping_addresses_by_account([ANDINA], ONE)
    assert [one.city for one in found or []] == ["Now", "Late"]


async def test_there_is_no_credit_unless_the_settings_say_where() -> None:
    fake = FakeSap()
    async with opened(fake) as erp:
        assert await erp.orders.credit_by_account([ANDINA, PACIFICO], BOTH) == [None, None]
    assert fake.asked == []


async def test_credit_is_read_where_the_company_publishes_it() -> None:
    rows = [{"Partner": "17100001", "Waers": "COP", "Limit": "1000.000", "Used": "250.500"}]
    fake = FakeSap(tables={(ORDERS_V2, "A_SalesOrder"): []})
    fake.first = [lambda request: answer({"d": {"results": rows}})]
    credit = {
        "path": "/sap/opu/odata/sap/ZCREDIT_SRV",
        "entity_set": "Positions",
        "customer": "Partner",
        "currency": "Waers",
        "limit": "Limit",
        "exposure": "Used",
    }
    async with opened(fake, credit=credit) as erp:
        found = await erp.orders.credit_by_account([PACIFICO, ANDINA, STRANGER], BOTH)

    def cop(amount: str) -> Money:
        return Money(Decimal(amount), "COP")

    assert found == [None, CreditPosition(cop("1000.00"), cop("250.50"), cop("749.50")), None]
    assert fake.asked[0].url.path == "/sap/opu/odata/sap/ZCREDIT_SRV/Positions"
    assert fake.options()["$select"] == "Partner,Waers,Limit,Used"
    assert "17100009" not in fake.options()["$filter"]
