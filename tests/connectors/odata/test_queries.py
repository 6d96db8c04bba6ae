"""Whole questions, as they travel."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.odata.expressions import Property, Version
from connectors.kit.odata.queries import By, Embedded, Query, encode, term_size

QUERY = Query(
    "A_SalesOrder",
    ("SalesOrder", "SoldToParty"),
    (
        Embedded("to_Item", ("Material",), (Embedded("to_ScheduleLine", ("Quantity",)),)),
        Embedded("to_Partner", ("PartnerFunction",)),
    ),
    Property("SoldToParty").eq("O'Neil & Söhne"),
    (By("SalesOrderDate", descending=True), By("SalesOrder")),
    26,
    count=True,
)


def test_v2_selects_and_expands_with_paths() -> None:
    assert unquote(QUERY.encoded(Version.V2)).split("&$") == [
        (
            "$select=SalesOrder,SoldToParty,to_Item/Material,to_Item/to_ScheduleLine/Quantity,"
            "to_Partner/PartnerFunction"
        ),
        "expand=to_Item/to_ScheduleLine,to_Partner",
        "filter=SoldToParty eq 'O''Neil & Söhne'",
        "orderby=SalesOrderDate desc,SalesOrder",
        "top=26",
        "inlinecount=allpages",
    ]


def test_v4_nests_what_it_expands() -> None:
    assert unquote(QUERY.encoded(Version.V4)).split("&$", 2)[:2] == [
        "$select=SalesOrder,SoldToParty",
        (
            "expand=to_Item($select=Material;$expand=to_ScheduleLine($select=Quantity)),"
            "to_Partner($select=PartnerFunction)"
        ),
    ]
    assert QUERY.encoded(Version.V4).endswith("&$top=26&$count=true")


def test_no_space_becomes_a_plus_and_no_separator_comes_from_a_value() -> None:
    for version in Version:
        sent = QUERY.encoded(version)
        assert "+" not in sent
        assert "%20eq%20" in sent
        assert "O''Neil%20%26%20S%C3%B6hne" in sent
        assert sent.count("&") == 5


@given(st.text(st.characters(exclude_categories=())) | st.text(" aZ09$'(),/:-_.~%+&=?\n\x7f"))
def test_a_text_is_encoded_as_the_standard_library_does_it(text: str) -> None:
    assert encode(text) == quote(text, safe="$'(),/:", errors="replace")


def test_an_embedded_record_without_columns_is_asked_for_whole() -> None:
    query = Query("A", ("X",), (Embedded("to_B"),))
    assert query.encoded(Version.V2) == "$select=X,to_B&$expand=to_B"
    assert query.encoded(Version.V4) == "$select=X&$expand=to_B"


def test_sizes_are_those_of_the_wire() -> None:
    assert QUERY.size(Version.V2) == len("A_SalesOrder?" + QUERY.encoded(Version.V2))
    one, other = Property("A").eq("é"), Property("A").eq("b c")
    pair = Query("S", filter=Property("A").one_of(["é", "b c"]))
    alone = Query("S", filter=one)
    assert pair.size(Version.V2) - alone.size(Version.V2) == term_size(other, Version.V2)


@pytest.mark.parametrize("name", ["a b", "a'b", "", "a&b", "$count"])
def test_names_are_checked_wherever_they_stand(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        Query(name)
    with pytest.raises(ValueError, match="not the name"):
        Query("A", (name,))
    with pytest.raises(ValueError, match="not the name"):
        Query("A", order=(By(name),))
    with pytest.raises(ValueError, match="not the name"):
        Embedded("to_B", (name,))
