"""OData V4, and that it tells the same documents as V2."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sandbox.erp.services import SALES_ORDERS, SALES_ORDERS_V4

pytestmark = pytest.mark.anyio

V2 = SALES_ORDERS.path
V4 = SALES_ORDERS_V4.path


async def ask(erp: httpx.AsyncClient, path: str, **options: str) -> Any:
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    answer = await erp.get(f"{V4}/{path}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["odata-version"] == "4.0"
    return answer.json()


def from_v2(value: object) -> object:
    """A value of V2 as V4 writes it, with decimals as texts."""
    if isinstance(value, str) and value.startswith("/Date("):
        digits = value.removeprefix("/Date(").partition(")")[0].partition("+")[0]
        if "+0000" in value:
            moment = datetime.fromtimestamp(int(digits) / 1000, UTC)
            return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
        return (date(1970, 1, 1) + timedelta(milliseconds=int(digits))).isoformat()
    return value


@pytest.mark.parametrize(
    ("old", "new", "renamed"),
    [
        ("A_SalesOrder", "SalesOrder", {"LastChangedByUser": "CreatedByUser"}),
        ("A_SalesOrderItem", "SalesOrderItem", {
            "Product": "Material", "ProductGroup": "MaterialGroup", "Plant": "ProductionPlant",
            "ItemWeightSAPUnit": "ItemWeightUnit",
        }),
        ("A_SalesOrderScheduleLine", "SalesOrderScheduleLine", {}),
        ("A_SalesOrderHeaderPartner", "SalesOrderPartner", {}),
    ],
)  # fmt: skip
async def test_both_versions_tell_the_same(
    erp: httpx.AsyncClient, old: str, new: str, renamed: dict[str, str]
) -> None:
    chosen = quote("SalesOrder ge '4502900'")
    before = (await erp.get(f"{V2}/{old}?$filter={chosen}")).json()["d"]["results"]
    exact = {"accept": "application/json;IEEE754Compatible=true"}
    after = (await erp.get(f"{V4}/{new}?$filter={chosen}", headers=exact)).json()["value"]
    assert len(before) == len(after) > 100
    for one, other in zip(before, after, strict=True):
        shared = {name for name in other if renamed.get(name, name) in one}
        assert len(shared) > 3
        for name in shared:
            assert from_v2(one[renamed.get(name, name)]) == other[name], name
    only_new = set(after[0]) - {name for name in after[0] if renamed.get(name, name) in before[0]}
    assert only_new <= {
        "@odata.etag", "RequestedDeliveryDate", "ConfirmedDeliveryDate",
        "SDDocumentRejectionStatus",
    }  # fmt: skip


async def test_decimals_are_numbers_unless_asked_otherwise(erp: httpx.AsyncClient) -> None:
    one = await ask(erp, "SalesOrder('4500001')")
    assert isinstance(one["TotalNetAmount"], int | float)
    exact = {"accept": "application/json;IEEE754Compatible=true"}
    other = (await erp.get(f"{V4}/SalesOrder('4500001')", headers=exact)).json()
    assert isinstance(other["TotalNetAmount"], str)
    assert Decimal(other["TotalNetAmount"]) == Decimal(str(one["TotalNetAmount"]))
    assert one["@odata.context"] == "$metadata#SalesOrder/$entity"
    assert one["@odata.etag"].startswith("W/")
    assert "OverallTotalDeliveryStatus" not in one


async def test_expand_takes_its_own_options(erp: httpx.AsyncClient) -> None:
    found = await ask(
        erp,
        "SalesOrder",
        select="SalesOrder",
        expand="_Item($select=SalesOrderItem,Product;$orderby=SalesOrderItem desc;"
        "$filter=contains(Product,'P') and Product ne 'a;b,(c'),"
        "_Partner($filter=PartnerFunction eq 'SH')",
        top="30",
    )
    for order in found["value"]:
        assert set(order) == {"@odata.etag", "SalesOrder", "_Item", "_Partner"}
        items = order["_Item"]
        assert all(set(item) == {"SalesOrderItem", "Product"} for item in items)
        assert all("P" in item["Product"] for item in items)
        places = [int(item["SalesOrderItem"]) for item in items]
        assert places == sorted(places, reverse=True)
        assert [one["PartnerFunction"] for one in order["_Partner"]] == ["SH"]
    assert any(len(order["_Item"]) > 2 for order in found["value"])


async def test_expand_cuts_and_counts_each_group(erp: httpx.AsyncClient) -> None:
    found = await ask(
        erp,
        "SalesOrder",
        expand="_Item($top=1;$skip=1;$count=true;$expand=_ScheduleLine)",
        top="40",
    )
    for order in found["value"]:
        total = order["_Item@odata.count"]
        assert len(order["_Item"]) == (1 if total > 1 else 0)
        for item in order["_Item"]:
            assert item["SalesOrderItem"] == "20"
            assert len(item["_ScheduleLine"]) == 1


async def test_count_and_pages(connect: Callable[..., httpx.AsyncClient]) -> None:
    erp = connect(page_limit=250)
    chosen = quote("SoldToParty eq '17100004' and SalesOrderDate ge 2020-01-01")
    following = f"SalesOrder?$count=true&$select=SalesOrder&$filter={chosen}"
    found: list[str] = []
    while following:
        page = (await erp.get(f"{V4}/{following}")).json()
        assert page["@odata.count"] == 600
        found += [one["SalesOrder"] for one in page["value"]]
        following = page.get("@odata.nextLink", "")
    assert len(set(found)) == len(found) == 600
    answer = await erp.get(f"{V4}/SalesOrder?$top=100", headers={"prefer": "odata.maxpagesize=40"})
    assert answer.headers["preference-applied"] == "odata.maxpagesize=40"
    assert len(answer.json()["value"]) == 40
    assert "$skiptoken=40" in answer.json()["@odata.nextLink"]
    assert (await erp.get(f"{V4}/SalesOrder/$count")).text == "3000"


async def test_navigation_and_leading_zeros(erp: httpx.AsyncClient) -> None:
    items = await ask(erp, "SalesOrder('0004500001')/_Item")
    assert {item["SalesOrder"] for item in items["value"]} == {"4500001"}
    order = await ask(erp, "SalesOrderItem(SalesOrder='4500001',SalesOrderItem='10')/_SalesOrder")
    assert order["SalesOrder"] == "4500001"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("SalesOrder?$select=OverallTotalDeliveryStatus", 400,
         "Property OverallTotalDeliveryStatus not found in type 'SalesOrder_Type'"),
        ("SalesOrder?$expand=_Item($select=Material)", 400,
         "Property Material not found in type 'SalesOrderItem_Type'"),
        ("SalesOrder?$expand=_Nothing", 400, "Property _Nothing not found"),
        ("SalesOrder?$expand=_Item($select=Product", 400, "'$expand'"),
        ("SalesOrder?$expand=_Item($search=a)", 400, "'$search=a'"),
        ("SalesOrder?$filter=SalesOrder%20in%20('1','2')", 400, "Invalid token 'in'"),
        ("SalesOrder?$filter=SalesOrderDate%20ge%20datetime'2026-01-01T00:00:00'", 400, "Invalid"),
        ("SalesOrder?$inlinecount=allpages", 400, "'$inlinecount' is not supported"),
        ("SalesOrder?$search=a", 400, "'$search' is not supported"),
        ("SalesOrder?$count=1", 400, "$count"),
        ("SalesOrder('1')", 404, "cannot be accessed. It does not exist."),
        ("A_SalesOrder", 404, "Resource not found for the segment 'A_SalesOrder'."),
    ],
)  # fmt: skip
async def test_refusals(erp: httpx.AsyncClient, path: str, status: int, message: str) -> None:
    answer = await erp.get(f"{V4}/{path}")
    assert answer.status_code == status
    error = answer.json()["error"]
    assert message in error["message"]
    assert error["details"][0]["message"] == error["message"]
    assert error["@SAP__common.ExceptionCategory"] == "Client_Error"


async def test_the_service_and_its_metadata(erp: httpx.AsyncClient) -> None:
    listed = (await erp.get(f"{V4}/")).json()["value"]
    assert {one["name"] for one in listed} >= {"SalesOrder", "SalesOrderItem"}
    metadata = (await erp.get(f"{V4}/$metadata")).text
    assert 'Name="SalesOrderDate" Type="Edm.Date"' in metadata
    assert 'Name="_Item" Type="Collection(com.sap.gateway' in metadata
