"""Outbound deliveries over OData V2. Partners are reached through their delivery only."""

from sandbox.erp.model import Kind, decimal, entity_set, number, plain, service, text, to_many

_HEADER = entity_set(
    "A_OutbDeliveryHeader",
    "erp_delivery",
    "DeliveryDocument",
    plain(Kind.DATE, "ActualGoodsMovementDate"),
    plain(Kind.TIME, "ActualGoodsMovementTime"),
    plain(Kind.DATE, "BillingDocumentDate"),
    text("BillOfLading", 35),
    plain(Kind.BOOLEAN, "CompleteDeliveryIsDefined"),
    text("CreatedByUser", 12),
    plain(Kind.DATE, "CreationDate"),
    plain(Kind.TIME, "CreationTime"),
    text("DeliveryBlockReason", 2),
    plain(Kind.DATE, "DeliveryDate"),
    number("DeliveryDocument"),
    text("DeliveryDocumentBySupplier", 35),
    text("DeliveryDocumentType", 4),
    plain(Kind.DATE, "DocumentDate"),
    decimal("HeaderGrossWeight HeaderNetWeight", "HeaderWeightUnit", 15),
    text("HeaderWeightUnit IncotermsClassification", 3),
    plain(Kind.DATE, "LastChangeDate LoadingDate"),
    text("MeansOfTransport", 20),
    text("MeansOfTransportType", 4),
    text("OverallDelivReltdBillgStatus OverallGoodsMovementStatus OverallPackingStatus", 1),
    text("OverallPickingStatus OverallProofOfDeliveryStatus OverallSDProcessStatus", 1),
    plain(Kind.DATE, "PickingDate PlannedGoodsIssueDate ProofOfDeliveryDate"),
    text("SalesOrganization SDDocumentCategory ShippingPoint", 4),
    text("ShippingCondition ShippingType", 2),
    number("ShipToParty SoldToParty"),
    text("TotalNumberOfPackage", 5),
    go=(
        to_many(
            "to_DeliveryDocumentPartner", "A_OutbDeliveryPartner", "DeliveryDocument=SDDocument"
        ),
        to_many("to_DeliveryDocumentItem", "A_OutbDeliveryItem", "DeliveryDocument"),
    ),
)

_ITEM = entity_set(
    "A_OutbDeliveryItem",
    "erp_delivery_item",
    "DeliveryDocument DeliveryDocumentItem",
    decimal("ActualDeliveredQtyInBaseUnit", "BaseUnit", 13),
    decimal("ActualDeliveryQuantity", "DeliveryQuantityUnit", 13),
    text("BaseUnit", 3),
    text("Batch", 10),
    plain(Kind.DATE, "CreationDate"),
    number("DeliveryDocument"),
    number("DeliveryDocumentItem", 6),
    text("DeliveryDocumentItemCategory", 4),
    text("DeliveryDocumentItemText", 40),
    text("DeliveryQuantityUnit", 3),
    text("DeliveryRelatedBillingStatus GoodsMovementStatus", 1),
    decimal("ItemGrossWeight ItemNetWeight", "ItemWeightUnit", 15),
    text("ItemWeightUnit", 3),
    plain(Kind.DATE, "LastChangeDate"),
    text("Material", 40),
    text("MaterialByCustomer", 35),
    text("MaterialGroup", 9),
    decimal("OriginalDeliveryQuantity", "DeliveryQuantityUnit", 13),
    text("PickingStatus", 1),
    text("Plant", 4),
    text("ProofOfDeliveryStatus", 1),
    number("ReferenceSDDocument"),
    text("ReferenceSDDocumentCategory", 4),
    number("ReferenceSDDocumentItem", 6),
    text("SDDocumentCategory", 4),
    text("SDProcessStatus", 1),
    text("StorageLocation", 4),
)

_PARTNER = entity_set(
    "A_OutbDeliveryPartner",
    "erp_delivery_partner",
    "PartnerFunction SDDocument",
    number("AddressID ContactPerson Customer", free=False),
    text("PartnerFunction", 2, free=False),
    number("SDDocument", free=False),
    number("SDDocumentItem", 6, free=False),
    number("Supplier", free=False),
    addressable=False,
)

DELIVERIES = service(
    "/sap/opu/odata/sap/API_OUTBOUND_DELIVERY_SRV",
    "API_OUTBOUND_DELIVERY_SRV",
    _HEADER,
    _ITEM,
    _PARTNER,
)
