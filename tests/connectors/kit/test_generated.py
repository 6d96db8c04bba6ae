"""Functions written as text make records that are as those of their own constructors."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.kit.generated import Code
from connectors.port.fields import NOT_FETCHED
from connectors.port.records import Account
from connectors.port.scope import AccountRef

OWNER = AccountRef("001A", "100001", "CO")


def test_a_function_makes_records_of_all_rows() -> None:
    code = Code("rows", "owner")
    code.line("found = []")
    with code.block("for row in rows:"):
        countries = code.bound({"Colombia": "CO"})
        country = code.local(f"{countries}.get(row[1])")
        with code.block(f"if {country} is None:"):
            code.line("continue")
        values = {"id": "owner.id", "owner": "owner", "name": "row[0]", "country": country}
        code.line(f"found.append({code.record(Account, values)})")
    code.line("return found")
    made = code.function()([("Andina", "Colombia"), ("Nobody", "Nowhere")], OWNER)
    assert made == [Account("001A", OWNER, name="Andina", country="CO")]
    assert type(made[0]) is Account
    assert made[0].number is NOT_FETCHED
    with pytest.raises(AttributeError):
        made[0].name = "another"  # type: ignore[misc]  # what is tried here


def test_values_are_bound_and_never_written() -> None:
    code = Code("row")
    told: Any = "__import__('os') #\n"
    code.line(f"return {code.bound(told)}, {code.bound(told)}, {code.bound(None)}")
    assert told not in code.source
    assert code.function()(None) == (told, told, None)


def test_a_record_without_what_it_needs_is_not_written() -> None:
    with pytest.raises(TypeError, match="owner"):
        Code("row").record(Account, {"id": "row"})
    with pytest.raises(TypeError, match="nothing"):
        Code("row").record(Account, {"id": "row", "owner": "row", "nothing": "row"})
