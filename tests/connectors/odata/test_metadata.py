"""What a service says that it has, and questions cut down to it."""

import pytest

from connectors.kit.odata.metadata import read
from connectors.kit.odata.queries import Embedded, Query

V2 = b"""<?xml version="1.0"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
<edmx:DataServices><Schema Namespace="S" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
<EntityType Name="OrderType"><Key><PropertyRef Name="Id"/></Key>
 <Property Name="Id" Type="Edm.String"/><Property Name="On" Type="Edm.DateTime"/>
 <NavigationProperty Name="to_Item" Relationship="S.orders" FromRole="a" ToRole="b"/></EntityType>
<EntityType Name="ItemType"><Property Name="Net" Type="Edm.Decimal"/></EntityType>
<Association Name="orders"><End Type="S.OrderType" Role="a"/><End Type="S.ItemType" Role="b"/>
</Association><EntityContainer Name="C"><EntitySet Name="Orders" EntityType="S.OrderType"/>
</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""
V4 = b"""<?xml version="1.0"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="a.b.v1" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="OrderType">
 <Property Name="Id" Type="Edm.String"/><Property Name="On" Type="Edm.Date"/>
 <NavigationProperty Name="to_Item" Type="Collection(a.b.v1.ItemType)"/></EntityType>
<EntityType Name="ItemType"><Property Name="Net" Type="Edm.Decimal"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="Orders" EntityType="a.b.v1.OrderType"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


@pytest.mark.parametrize("document", [V2, V4])
def test_properties_and_navigations_are_found_through_paths(document: bytes) -> None:
    schema = read(document)
    for path in ("Id", "On", "to_Item", "to_Item/Net"):
        assert schema.has("Orders", path), path
    for path in ("Net", "to_Item/Id", "to_Item/Net/X", "to_Other/Net", "to_Other"):
        assert not schema.has("Orders", path), path
    assert not schema.has("Others", "Id")


@pytest.mark.parametrize("document", [V2, V4])
def test_a_question_loses_only_what_is_not_there(document: bytes) -> None:
    asked = Query(
        "Orders",
        ("Id", "Tax"),
        (
            Embedded("to_Item", ("Net", "Gross"), (Embedded("to_Line", ("N",)),)),
            Embedded("to_Partner", ("Name",)),
        ),
        top=5,
    )
    cut, gone = read(document).cut(asked)
    assert cut == Query("Orders", ("Id",), (Embedded("to_Item", ("Net",)),), top=5)
    assert gone == ("Tax", "to_Item/Gross", "to_Item/to_Line", "to_Partner")


def test_an_embedded_record_of_which_nothing_is_left_is_not_asked_for_whole() -> None:
    cut, _ = read(V2).cut(Query("Orders", ("Id",), (Embedded("to_Item", ("Gross",)),)))
    assert cut.expand == ()


@pytest.mark.parametrize(
    "document", [b"", b"<html/>", b"{}", b'<!DOCTYPE e [<!ENTITY a "b">]><Edmx>&a;</Edmx>']
)
def test_what_describes_nothing_is_told_apart(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"is not XML|describes no"):
        read(document)
