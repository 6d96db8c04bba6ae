"""Values of rows, one by one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.records import Address, Money
from connectors.port.scope import AccountRef, Scope
from connectors.systems.sap.keys import Owners, normal, normal_all, written
from connectors.systems.sap.translate import address, decimals, money, unit_price

AMOUNTS = st.decimals(-(10**12), 10**12, places=3)
CURRENCIES = st.sampled_from(["CLP", "PEN", "COP", "KWD", "CLF", "XXX"])


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_money_is_never_changed_only_written_shorter(amount: Decimal, currency: str) -> None:
    told = money(amount, currency)
    assert told.amount == amount
    if amount == amount.quantize(Decimal(1).scaleb(-decimals(currency))):
        assert -int(told.amount.as_tuple().exponent) == decimals(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("125000.000", "CLP", "125000"),
        ("125000.500", "CLP", "125000.500"),
        ("10.5", "PEN", "10.50"),
        ("10.500", "KWD", "10.500"),
        ("0", "COP", "0.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount: str, currency: str, written: str) -> None:
    told = money(Decimal(amount), currency)
    assert (str(told.amount), told.currency) == (written, currency)


def test_a_document_without_a_currency_is_in_none() -> None:
    assert money(Decimal(5), "") == Money(Decimal("5.00"), "XXX")


@given(
    net=AMOUNTS,
    quantity=st.decimals(Decimal("0.001"), 10**6, places=3),
    currency=CURRENCIES,
)
def test_a_unit_price_is_near_the_exact_one(net: Decimal, quantity: Decimal, currency: str) -> None:
    price = unit_price(net, quantity, currency)
    assert price is not None
    step = Decimal(1).scaleb(-decimals(currency) - 2)
    assert abs(price.amount * quantity - net) <= step * quantity / 2 + Decimal("1e-15")
    assert price.amount.as_tuple().exponent == step.as_tuple().exponent


def test_unit_prices_round_half_up_and_there_is_none_of_nothing() -> None:
    assert unit_price(Decimal(1), Decimal(8), "CLP") == Money(Decimal("0.13"), "CLP")
    assert unit_price(Decimal(10), Decimal(3), "PEN") == Money(Decimal("3.3333"), "PEN")
    assert unit_price(Decimal(10), Decimal("0.000"), "PEN") is None


def test_an_address_is_what_is_there() -> None:
    assert address({}) == Address()
    assert address({"HouseNumber": "5", "Country": "xk1"}) == Address("5")
    assert address({"StreetName": "A", "Country": "br"}) == Address("A", country="BR")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("4500001", "4500001"),
        ("0004500001", "4500001"),
        ("00A1", "00A1"),
        ("0", None),
        ("", None),
        (None, None),
        ("45 1", None),
        ("٤٥", None),
        ("4500001\n", None),
        ("12345678901", None),
    ],
)
def test_a_number_is_told_without_its_zeros(number: str | None, shown: str | None) -> None:
    assert normal(number) == shown


@given(number=st.from_regex(r"[0-9A-Za-z]{1,10}", fullmatch=True))
def test_writing_a_number_with_its_zeros_does_not_change_it(number: str) -> None:
    shown = normal(number)
    if shown is not None:
        assert normal(written(shown, padded=True)) == shown
        assert written(shown, padded=False) == shown
        assert normal_all([number, shown, "'"]) == [shown]


def test_two_accounts_of_one_number_have_one_owner() -> None:
    first, second = AccountRef("a", "0017100001"), AccountRef("b", "17100001")
    owners = Owners(Scope([first, second]))
    assert owners.numbers == ["17100001"]
    assert owners.of("0017100001") == owners.of("17100001") == first
    assert owners.of("17100002") is None
    assert owners.of("") is None
