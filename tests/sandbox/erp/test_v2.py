"""OData V2 as clients meet it: collections, entities, navigations, pages, shapes and refusals."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

pytestmark = pytest.mark.anyio

ORDERS = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
DELIVERIES = "/sap/opu/odata/sap/API_OUTBOUND_DELIVERY_SRV"
BILLING = "/sap/opu/odata/sap/API_BILLING_DOCUMENT_SRV"
PARTNERS = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"


async def ask(erp: httpx.AsyncClient, path: str, **options: str) -> Any:
    """The `d` of an answer. Options without their `$`; spaces go out as %20."""
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    answer = await erp.get(f"{path}?{query}" if query else path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["dataserviceversion"] == "2.0"
    return answer.json()["d"]


async def results(erp: httpx.AsyncClient, path: str, **options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ask(erp, path, **options))["results"]
    return found


async def refusal(erp: httpx.AsyncClient, path: str) -> tuple[int, str, str]:
    """Status, code and message of a refusal, in JSON."""
    answer = await erp.get(path)
    error = answer.json()["error"]
    assert error["message"]["lang"] == "en"
    assert error["innererror"]["errordetails"][0]["message"] == error["message"]["value"]
    return answer.status_code, error["code"], error["message"]["value"]


async def test_one_order_with_its_types_and_links(erp: httpx.AsyncClient) -> None:
    order = await ask(erp, f"{ORDERS}/A_SalesOrder('4500001')")
    about = order["__metadata"]
    assert about["uri"] == about["id"] == f"http://erp.test{ORDERS}/A_SalesOrder('4500001')"
    assert about["type"] == "API_SALES_ORDER_SRV.A_SalesOrderType"
    assert re.fullmatch(
        r"W/\"datetimeoffset'\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A\d\d\.\d{7}Z'\"", about["etag"]
    )
    assert order["SalesOrder"] == "4500001"
    assert order["SoldToParty"] in {f"1710000{n}" for n in range(1, 6)}
    assert re.fullmatch(r"/Date\(\d+00000\)/", order["SalesOrderDate"])
    assert re.fullmatch(r"/Date\(\d+\+0000\)/", order["LastChangeDateTime"])
    assert re.fullmatch(r"\d+(\.\d\d)?", order["TotalNetAmount"])
    assert order["to_Item"] == {"__deferred": {"uri": f"{about['uri']}/to_Item"}}
    assert order["CompleteDeliveryIsDefined"] is False
    answer = await erp.get(f"{ORDERS}/A_SalesOrder('4500001')")
    assert answer.headers["etag"] == about["etag"]


async def test_numbers_are_the_same_with_leading_zeros(erp: httpx.AsyncClient) -> None:
    plain = await ask(erp, f"{ORDERS}/A_SalesOrder('4500007')")
    assert await ask(erp, f"{ORDERS}/A_SalesOrder('0004500007')") == plain
    assert await ask(erp, f"{ORDERS}/A_SalesOrder(SalesOrder='4500007')") == plain
    found = await results(erp, f"{ORDERS}/A_SalesOrder", filter="SalesOrder eq '0004500007'")
    assert found == [plain]
    item = await ask(
        erp, f"{ORDERS}/A_SalesOrderItem(SalesOrder='4500007',SalesOrderItem='000010')"
    )
    assert (item["SalesOrder"], item["SalesOrderItem"]) == ("4500007", "10")
    assert item["__metadata"]["uri"].endswith(
        "/A_SalesOrderItem(SalesOrder='4500007',SalesOrderItem='10')"
    )


async def test_chile_has_no_decimals_and_others_have_two(erp: httpx.AsyncClient) -> None:
    for customer, form in (("17100003", r"\d+"), ("17100002", r"\d+\.\d\d")):
        found = await results(
            erp,
            f"{ORDERS}/A_SalesOrder",
            filter=f"SoldToParty eq '{customer}'",
            select="TotalNetAmount",
            top="50",
        )
        assert all(re.fullmatch(form, one["TotalNetAmount"]) for one in found)
    items = await results(
        erp, f"{ORDERS}/A_SalesOrderItem", select="RequestedQuantity,RequestedQuantityUnit"
    )
    forms = {(one["RequestedQuantityUnit"], "." in one["RequestedQuantity"]) for one in items}
    assert {("PC", False), ("BOX", False), ("M2", True), ("KG", True)} <= forms
    assert not {("PC", True), ("M2", False)} & forms


async def test_select_keeps_what_it_names(erp: httpx.AsyncClient) -> None:
    (one,) = await results(
        erp, f"{ORDERS}/A_SalesOrder", select="SalesOrder,TotalNetAmount,to_Partner", top="1"
    )
    assert set(one) == {"__metadata", "SalesOrder", "TotalNetAmount", "to_Partner"}
    assert set(one["to_Partner"]) == {"__deferred"}
    (one,) = await results(erp, f"{ORDERS}/A_SalesOrder", select="*", top="1")
    assert "SoldToParty" in one
    assert "to_Item" not in one


async def test_expand_reaches_two_levels_with_their_own_selection(erp: httpx.AsyncClient) -> None:
    found = await results(
        erp,
        f"{ORDERS}/A_SalesOrder",
        select="SalesOrder,to_Item/Material,to_Item/SalesOrderItem,"
        "to_Item/to_ScheduleLine/ConfirmedDeliveryDate,to_Partner",
        expand="to_Item/to_ScheduleLine,to_Partner/to_Address",
        orderby="SalesOrder",
        top="20",
    )
    for one in found:
        assert set(one) == {"__metadata", "SalesOrder", "to_Item", "to_Partner"}
        items = one["to_Item"]["results"]
        assert [item["SalesOrderItem"] for item in items] == [
            str(10 * n) for n in range(1, len(items) + 1)
        ]
        assert set(items[0]) == {"__metadata", "Material", "SalesOrderItem", "to_ScheduleLine"}
        (line,) = items[0]["to_ScheduleLine"]["results"]
        assert set(line) == {"__metadata", "ConfirmedDeliveryDate"}
        partners = one["to_Partner"]["results"]
        assert [partner["PartnerFunction"] for partner in partners] == ["SH", "SP"]
        (address,) = partners[0]["to_Address"]["results"]
        assert address["Country"] in ("AR", "BR", "CL", "CO", "PE")
    alone = await results(erp, f"{ORDERS}/A_SalesOrder('4500001')/to_Item")
    whole = await ask(erp, f"{ORDERS}/A_SalesOrder('4500001')", expand="to_Item")
    assert whole["to_Item"]["results"] == alone


async def test_to_one_navigations_are_objects(erp: httpx.AsyncClient) -> None:
    (item,) = await results(erp, f"{ORDERS}/A_SalesOrderItem", expand="to_SalesOrder", top="1")
    assert item["to_SalesOrder"]["SalesOrder"] == item["SalesOrder"]
    key = "(SalesOrder='4500001',SalesOrderItem='10')"
    order = await ask(erp, f"{ORDERS}/A_SalesOrderItem{key}/to_SalesOrder")
    assert order["SalesOrder"] == "4500001"
    customer = await ask(erp, f"{PARTNERS}/A_BusinessPartner('17100001')/to_Customer")
    assert customer["CustomerName"] == "Andina Construcciones S.A.S."
    assert await ask(erp, f"{PARTNERS}/A_BusinessPartner('40000011')/to_Customer") is None


async def test_pages_of_the_client(erp: httpx.AsyncClient) -> None:
    base = f"{ORDERS}/A_SalesOrder"
    options = {"select": "SalesOrder,SalesOrderDate", "orderby": "SalesOrderDate desc,SalesOrder"}
    whole = await results(erp, base, **options, top="30")
    parts = [await results(erp, base, **options, top="10", skip=str(n)) for n in (0, 10, 20)]
    assert [one for part in parts for one in part] == whole
    days = [one["SalesOrderDate"] for one in whole]
    assert len(set(days)) < len(days), "no two orders share their day"
    page = await ask(erp, base, **options, top="2", inlinecount="allpages")
    assert page["__count"] == "3000"
    assert "__next" not in page
    assert await results(erp, base, top="0") == []


async def test_the_server_cuts_long_answers_itself(
    connect: Callable[..., httpx.AsyncClient],
) -> None:
    erp = connect(page_limit=70)
    query = "$filter=SoldToParty%20eq%20'17100001'&$select=SalesOrder&$inlinecount=allpages"
    for limit, wanted in (("", 600), ("&$top=150", 150), ("&$top=140&$skip=10", 140)):
        following: str | None = f"{ORDERS}/A_SalesOrder?{query}{limit}"
        found: list[str] = []
        while following is not None:
            page = (await erp.get(following)).json()["d"]
            assert page["__count"] == "600"
            assert len(page["results"]) <= 70
            found += [one["SalesOrder"] for one in page["results"]]
            following = page.get("__next")
        assert len(found) == len(set(found)) == wanted
        assert found == sorted(found)


async def test_count_is_a_plain_number(erp: httpx.AsyncClient) -> None:
    answer = await erp.get(f"{ORDERS}/A_SalesOrder/$count")
    assert (answer.text, answer.headers["content-type"].partition(";")[0]) == ("3000", "text/plain")
    answer = await erp.get(
        f"{ORDERS}/A_SalesOrder/$count?$filter=SoldToParty%20eq%20'17100002'&$top=5"
    )
    assert answer.text == "600"


async def test_a_filter_for_a_reference_with_a_quote(erp: httpx.AsyncClient) -> None:
    found = await results(
        erp, f"{ORDERS}/A_SalesOrder", filter="substringof('O''Brien',PurchaseOrderByCustomer)"
    )
    assert len(found) > 20
    assert all("O'Brien" in one["PurchaseOrderByCustomer"] for one in found)
    one = found[0]["PurchaseOrderByCustomer"].replace("'", "''")
    same = await results(
        erp, f"{ORDERS}/A_SalesOrder", filter=f"PurchaseOrderByCustomer eq '{one}'"
    )
    assert same == [found[0]]


async def test_deliveries_are_found_by_their_orders(erp: httpx.AsyncClient) -> None:
    items = await results(
        erp,
        f"{DELIVERIES};v=0002/A_OutbDeliveryItem",
        filter=" or ".join(f"ReferenceSDDocument eq '{n}'" for n in range(4500001, 4500011)),
        select="DeliveryDocument,DeliveryDocumentItem,ReferenceSDDocument",
    )
    number = items[0]["DeliveryDocument"]
    assert re.fullmatch(r"80\d{7}", number)
    header = await ask(
        erp,
        f"{DELIVERIES}/A_OutbDeliveryHeader('{number}')",
        expand="to_DeliveryDocumentItem,to_DeliveryDocumentPartner",
    )
    assert {one["PartnerFunction"] for one in header["to_DeliveryDocumentPartner"]["results"]} == {
        "CR",
        "SH",
        "SP",
    }
    sent = header["to_DeliveryDocumentItem"]["results"]
    assert {one["ReferenceSDDocument"] for one in sent} <= {str(n) for n in range(4500001, 4500011)}
    assert header["ActualGoodsMovementTime"] in ("PT14H05M00S", None)


async def test_invoices_are_found_by_their_orders(erp: httpx.AsyncClient) -> None:
    items = await results(
        erp,
        f"{BILLING}/A_BillingDocumentItem",
        filter="SalesDocument eq '4500001' or SalesDocument eq '4500002'",
        expand="to_BillingDocument",
    )
    for item in items:
        assert item["to_BillingDocument"]["BillingDocument"] == item["BillingDocument"]
        assert re.fullmatch(r"90\d{7}", item["BillingDocument"])
        assert item["to_BillingDocument"]["BillingDocumentIsCancelled"] in (True, False)
    flow = await results(
        erp,
        f"{ORDERS}/A_SalesOrder('4500001')/to_SubsequentProcFlowDoc",
        filter="SubsequentDocumentCategory eq 'M'",
    )
    assert {one["SubsequentDocument"] for one in flow} <= {one["BillingDocument"] for one in items}


async def test_partners_have_their_addresses(erp: httpx.AsyncClient) -> None:
    found = await results(
        erp,
        f"{PARTNERS}/A_BusinessPartner",
        filter="Customer ne ''",
        expand="to_BusinessPartnerAddress,to_Customer",
    )
    assert len(found) == 5
    for one in found:
        assert 2 <= len(one["to_BusinessPartnerAddress"]["results"]) <= 3
        assert one["to_Customer"]["Customer"] == one["BusinessPartner"]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/A_SalesOrder?$select=SalesOrder,Nothing", 400,
         "Property Nothing not found in type 'A_SalesOrderType'"),
        ("/A_SalesOrder?$expand=to_Nothing", 400,
         "Property to_Nothing not found in type 'A_SalesOrderType'"),
        ("/A_SalesOrder?$select=to_Item/Nothing&$expand=to_Item", 400,
         "Property Nothing not found in type 'A_SalesOrderItemType'"),
        ("/A_SalesOrder?$filter=Nothing%20eq%20'1'", 400,
         "Property Nothing not found in type 'A_SalesOrderType'"),
        ("/A_SalesOrder?$filter=to_Item/Material%20eq%20'1'", 400,
         "Property to_Item/Material not found in type 'A_SalesOrderType'"),
        ("/A_SalesOrder?$orderby=Nothing", 400,
         "Property Nothing not found in type 'A_SalesOrderType'"),
        ("/A_SalesOrder?$orderby=SalesOrder%20down", 400, "$orderby"),
        ("/A_SalesOrder?$filter=SalesOrder+eq+'1'", 400, "Invalid token '+eq+'1''"),
        ("/A_SalesOrder?$top=-1", 400, "Invalid value '-1'"),
        ("/A_SalesOrder?$top=1&$top=2", 400, "more than once"),
        ("/A_SalesOrder?$inlinecount=some", 400, "$inlinecount"),
        ("/A_SalesOrder?$count=true", 400, "'$count' is not supported"),
        ("/A_SalesOrder?$select=to_Item/Material", 400, "'to_Item' is not expanded"),
        ("/A_SalesOrder('1')?$filter=SalesOrder%20eq%20'1'", 400, "not allowed for one entity"),
        ("/A_SalesOrder('1')", 404, "Resource not found for segment 'A_SalesOrderType'"),
        ("/A_SalesOrder('1')/to_Item", 404, "Resource not found for segment 'A_SalesOrderType'"),
        ("/A_SalesOrder(1)", 400, "Invalid value '1' for property 'SalesOrder'"),
        ("/A_SalesOrderItem('1')", 400, "the keys are SalesOrder, SalesOrderItem"),
        ("/A_Nothing", 404, "Resource not found for the segment 'A_Nothing'."),
        ("/A_SalesOrder('4500001')/to_Nothing", 404, "for the segment 'to_Nothing'."),
        ("/A_SalesOrder/to_Item", 404, "for the segment 'to_Item'."),
        ("/A_SalesOrder('", 404, "Resource not found for the segment"),
        ("/A_SalesOrderSubsqntProcFlow?$filter=OverallSDProcessStatus%20eq%20'C'", 400,
         "is not filterable"),
        ("/A_SalesOrderSubsqntProcFlow?$orderby=OverallSDProcessStatus", 400, "is not sortable"),
    ],
)  # fmt: skip
async def test_refusals(erp: httpx.AsyncClient, path: str, status: int, message: str) -> None:
    got = await refusal(erp, ORDERS + path)
    assert got[0] == status
    assert got[1]
    assert message in got[2]


async def test_what_is_not_addressable_is_reached_through_its_parent_only(
    erp: httpx.AsyncClient,
) -> None:
    status, code, _ = await refusal(erp, f"{DELIVERIES}/A_OutbDeliveryPartner")
    assert (status, code) == (501, "/IWBEP/CM_MGW_RT/021")
    reached = f"{DELIVERIES}/A_OutbDeliveryHeader('800000001')/to_DeliveryDocumentPartner"
    assert len(await results(erp, reached)) == 3
    status, _, message = await refusal(erp, f"{reached}?$filter=PartnerFunction%20eq%20'SH'")
    assert (status, "is not filterable" in message) == (400, True)


async def test_errors_are_xml_unless_json_was_asked_for(erp: httpx.AsyncClient) -> None:
    path = f"{ORDERS}/A_SalesOrder?$select=Nothing"
    for accept in ("*/*", "application/xml"):
        answer = await erp.get(path, headers={"accept": accept})
        assert answer.headers["content-type"].startswith("application/xml")
        root = ET.fromstring(answer.text)  # noqa: S314 - what this project wrote
        space = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
        assert root.tag == f"{space}error"
        assert (root.findtext(f"{space}message") or "").startswith("Property Nothing not found")
    answer = await erp.get(f"{path}&$format=json", headers={"accept": "*/*"})
    assert answer.json()["error"]["code"]


async def test_an_unknown_service(erp: httpx.AsyncClient) -> None:
    status, code, _ = await refusal(erp, "/sap/opu/odata/sap/API_NOTHING_SRV/A_Nothing")
    assert (status, code) == (403, "/IWFND/MED/170")


async def test_the_metadata_names_all_that_is_answered(erp: httpx.AsyncClient) -> None:
    edm = "{http://schemas.microsoft.com/ado/2008/09/edm}"
    sap = "{http://www.sap.com/Protocols/SAPData}"
    for service in (ORDERS, DELIVERIES, BILLING, PARTNERS):
        answer = await erp.get(f"{service}/$metadata")
        root = ET.fromstring(answer.text)  # noqa: S314 - what this project wrote
        types = {one.attrib["Name"]: one for one in root.iter(f"{edm}EntityType")}
        for held in root.iter(f"{edm}EntitySet"):
            kind = types[held.attrib["EntityType"].rpartition(".")[2]]
            if held.attrib.get(f"{sap}addressable") == "false":
                continue
            (row,) = await results(erp, f"{service}/{held.attrib['Name']}", top="1")
            named = {one.attrib["Name"] for one in kind if one.tag != f"{edm}Key"}
            assert set(row) == {"__metadata", *named}
        links = {one.attrib["Name"] for one in root.iter(f"{edm}Association")}
        for step in root.iter(f"{edm}NavigationProperty"):
            assert step.attrib["Relationship"].rpartition(".")[2] in links
    status = {
        one.attrib["Name"]: one.attrib
        for one in ET.fromstring((await erp.get(f"{ORDERS}/$metadata")).text).iter(f"{edm}Property")  # noqa: S314 - as above
        if f"{sap}filterable" in one.attrib
    }
    assert status["OverallSDProcessStatus"][f"{sap}filterable"] == "false"


async def test_an_older_release_lacks_what_it_is_told_to(
    connect: Callable[..., httpx.AsyncClient],
) -> None:
    erp = connect(
        lacking={"A_SalesOrder/to_SubsequentProcFlowDoc", "A_SalesOrder/TotalBlockStatus"}
    )
    metadata = (await erp.get(f"{ORDERS}/$metadata")).text
    assert "to_SubsequentProcFlowDoc" not in metadata
    assert (await refusal(erp, f"{ORDERS}/A_SalesOrder?$select=TotalBlockStatus"))[0] == 400
    assert "TotalBlockStatus" not in await ask(erp, f"{ORDERS}/A_SalesOrder('4500001')")
    with pytest.raises(ValueError, match="SoldToBarty"):
        connect(lacking={"A_SalesOrder/SoldToBarty"})


async def test_the_service_document_lists_the_sets(erp: httpx.AsyncClient) -> None:
    assert "A_SalesOrder" in (await ask(erp, f"{ORDERS}/"))["EntitySets"]
