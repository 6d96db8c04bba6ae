"""What a company writes is checked before anything is called, and its secrets stay with it."""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec
import pytest

from connectors.kit.connector import Wiring
from connectors.port.records import CaseStatus
from connectors.systems.salesforce import connector
from connectors.systems.salesforce.settings import Settings
from tests.connectors.salesforce.fake_org import EXAMPLES, settings

LOGIN = {"grant": "client_credentials", "client_id": "id", "client_secret": "s3cret-value"}


def test_the_example_says_what_the_defaults_are() -> None:
    table = tomllib.loads((EXAMPLES / "settings.toml").read_text())["systems"]["crm"]
    assert table.pop("connector") == connector.name
    defaults = {"url": table["url"], "login": table["login"], "knowledge": {}, "writes": {}}
    assert msgspec.convert(table, Settings) == msgspec.convert(defaults, Settings)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"url": "ftp://acme"}, "$.url"),
        ({"url": "https://user:pw@acme"}, "$.url"),
        ({"api_version": "60"}, "$.api_version"),
        ({"columns": {"case": {"number": "CaseNumber, Secret__c"}}}, "$.columns.case.number"),
        ({"columns": {"case": {"team": "Team__c\n"}}}, "$.columns.case.team"),
        ({"columns": {"case": {"numbre": "X"}}}, "numbre"),
        ({"values": {"status": {"SOMETHING": ["x"]}}}, "$.values.status"),
        ({"login": {**LOGIN, "client_secret": ""}}, "$.login"),
        ({"login": {"grant": "password"}}, "$.login"),
        ({"knowledge": {"object": "A.B"}}, "$.knowledge.object"),
    ],
)
def test_an_error_names_the_key(wrong: dict[str, Any], where: str) -> None:
    table = {"url": "https://acme.my.salesforce.com", "login": LOGIN} | wrong
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(table, Settings)
    assert where in str(caught.value)


def test_secrets_do_not_show() -> None:
    jwt = {"grant": "jwt_bearer", "client_id": "id", "user": "u", "private_key": "s3cret-value"}
    for login in (LOGIN, jwt):
        shown = repr(settings(login=login))
        assert "client_id='id'" in shown
        assert "s3cret-value" not in shown


@pytest.mark.anyio
async def test_a_key_that_is_none_is_refused_without_showing_it() -> None:
    login = {"grant": "jwt_bearer", "client_id": "i", "user": "u", "private_key": "s3cret-value"}
    with pytest.raises(ValueError, match=r"login\.private_key") as caught:
        await connector.open("crm", settings(login=login), Wiring())
    assert "s3cret-value" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_columns_are_named_in_our_words() -> None:
    columns = settings(columns={"case": {"team": "Squad__c"}}).columns
    assert columns.ours("Case", "Squad__c") == "team"
    assert columns.ours("Account", "TaxId__c") == "tax_id"
    assert columns.ours("Case", "TaxId__c") is None
    assert columns.ours("User", "Name") is None


def test_maps_replace_the_defaults_as_a_whole() -> None:
    values = settings(values={"status": {"NEW": ["Nuevo", "Reabierto"]}}).values
    assert values.status == {CaseStatus.NEW: ("Nuevo", "Reabierto")}
    assert values.category["QUERY"] == ("Query",)
