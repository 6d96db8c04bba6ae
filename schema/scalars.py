"""The scalars of the contract, and the small value types that many nouns share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NewType

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.scalar import ScalarDefinition

from schema.recognition import passes_on

CountryCode = NewType("CountryCode", str)
CurrencyCode = NewType("CurrencyCode", str)
LanguageTag = NewType("LanguageTag", str)
EmailAddress = NewType("EmailAddress", str)
URL = NewType("URL", str)

#: Longest text of a date, a moment or a number, in characters.
_LONGEST_VALUE = 64


@passes_on(str)
def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _pattern(name: str, pattern: str, hint: str) -> ScalarDefinition:
    compiled = re.compile(pattern)

    def parse(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"{name} must be {hint}")
        return value

    return strawberry.scalar(
        name=name, description=f"{hint[0].upper()}{hint[1:]}.", serialize=_text, parse_value=parse
    )


def _value(
    name: str, hint: str, serialize: Callable[[Any], str], parse: Callable[[str], Any]
) -> ScalarDefinition:
    def parsed(value: object) -> Any:
        try:
            if isinstance(value, str) and len(value) <= _LONGEST_VALUE:
                return parse(value)
        except (ValueError, ArithmeticError):
            pass
        raise ValueError(f"{name} must be {hint}")

    return strawberry.scalar(
        name=name,
        description=f"{hint[0].upper()}{hint[1:]}.",
        serialize=serialize,
        parse_value=parsed,
    )


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _exact(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError
    return number


SCALARS: dict[object, ScalarDefinition] = {
    date: _value(
        "Date", "a calendar date, ISO 8601: 2026-03-31", date.isoformat, date.fromisoformat
    ),
    datetime: _value(
        "DateTime",
        "a moment with its offset, ISO 8601: 2026-03-31T14:00:00-05:00",
        datetime.isoformat,
        _moment,
    ),
    Decimal: _value("Decimal", 'an exact decimal number as a string: "1234.50"', str, _exact),
    CountryCode: _pattern(
        "CountryCode", r"[A-Z]{2}", "two capital letters, ISO 3166-1 alpha-2: CO, PE, CL, AR, BR"
    ),
    CurrencyCode: _pattern(
        "CurrencyCode", r"[A-Z]{3}", "three capital letters, ISO 4217: COP, PEN, USD"
    ),
    LanguageTag: _pattern(
        "LanguageTag",
        r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}",
        "a language tag, BCP 47: es-CO, pt-BR, en",
    ),
    EmailAddress: _pattern(
        "EmailAddress", r"[^@\s]{1,64}@[^@\s]{1,255}", "an e-mail address: ana@company.example"
    ),
    URL: _pattern("URL", r"https?://\S{1,2000}", "an absolute http or https address"),
}


class Names(NameConverter):
    """Names of the contract: a page with a total is called like one without."""

    def from_generic(self, object_type, types):  # type: ignore[no-untyped-def]
        name = super().from_generic(object_type, types)
        return name.replace("CountedConnection", "Connection")

    @functools.cache  # noqa: B019 - there is one of these; strawberry asks at each call of a field
    def apply_naming_config(self, name: str) -> str:
        return super().apply_naming_config(name)


CONFIG = StrawberryConfig(name_converter=Names(), scalar_map=SCALARS)


@strawberry.type(description="An exact amount of money.")
class Money:
    amount: Decimal = strawberry.field(description="In units of the currency, not in cents.")
    currency: CurrencyCode = strawberry.field(description="The currency of the amount.")


@strawberry.type(description="A postal address, as far as the system behind knows it.")
class Address:
    line1: str | None = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(description="What the first line has no room for.")
    city: str | None = strawberry.field(description="City or municipality.")
    region: str | None = strawberry.field(description="State, department or province.")
    postal_code: str | None = strawberry.field(description="Postal code, as written there.")
    country: CountryCode | None = strawberry.field(description="Country of the address.")


@strawberry.enum(description="Which end of a list comes first.")
class SortDirection(Enum):
    ASC = strawberry.enum_value("ASC", description="Smallest, oldest or first in the alphabet.")
    DESC = strawberry.enum_value("DESC", description="Largest, newest or last in the alphabet.")
