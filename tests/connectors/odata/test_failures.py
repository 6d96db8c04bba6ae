"""What services say when they refuse, in each of the shapes they say it."""

import pytest

from connectors.kit.odata.failures import Failure, read

V2_JSON = b"""{"error":{"code":"V1/312",
 "message":{"lang":"en","value":"Sales document 4711 does not exist"},
 "innererror":{"errordetails":[{"code":"V1/312","message":"x","severity":"error"}]}}}"""
V4_JSON = b'{"error":{"code":"SY/530","message":"Not possible","target":"X","details":[]}}'
XML = b"""<?xml version="1.0" encoding="utf-8"?>
<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
<code>005056A509B11EE1B9A8FEC11C21D78E</code>
<message xml:lang="en">Resource not found for the segment 'to_Address'.</message></error>"""


def test_each_shape_is_read() -> None:
    assert read(V2_JSON) == Failure("V1/312", "Sales document 4711 does not exist")
    assert read(V4_JSON) == Failure("SY/530", "Not possible")
    found = read(XML)
    assert found is not None
    assert found.code == "005056A509B11EE1B9A8FEC11C21D78E"
    assert found.unknown_property == "to_Address"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"CSRF token validation failed",
        b"{}",
        b"{",
        b"[1]",
        b'{"error": "x"}',
        b"<html><body>Maintenance</body></html>",
        b"<error",
        b'<!DOCTYPE e [<!ENTITY a "b">]><error><code>&a;</code></error>',
        b'{"error":{"code":"' + b"x" * 300_000 + b'"}}',
    ],
)
def test_anything_else_is_no_failure_of_odata(body: bytes) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("Property TaxAmount not found in type A_SalesOrderItemType", "TaxAmount"),
        ("Property 'TaxAmount' not found", "TaxAmount"),
        ("Property “TaxAmount” does not exist", "TaxAmount"),
        ("Invalid property 'TaxAmount' in select", "TaxAmount"),
        ("Could not find a property named 'TaxAmount' on type 'X.Y'.", "TaxAmount"),
        ("Resource not found for the segment 'to_Item'", "to_Item"),
        ("Resource not found for segment 'to_Item'", "to_Item"),
        ("The property owner was not amused", None),
        ("Sales document 4711 does not exist", None),
        ("", None),
    ],
)
def test_a_property_that_is_missing_is_named(message: str, named: str | None) -> None:
    assert Failure("x", message).unknown_property == named


def test_what_is_kept_for_the_log_is_bounded() -> None:
    assert len(str(Failure("c", "m" * 5_000))) == 500
