"""Billing documents over OData V2: invoices, their cancellations, and their items."""

from sandbox.erp.model import (
    Kind,
    decimal,
    entity_set,
    number,
    plain,
    service,
    text,
    to_many,
    to_one,
)

_CURRENCY = "TransactionCurrency"

_HEADER = entity_set(
    "A_BillingDocument",
    "erp_billing_document",
    "BillingDocument",
    number("BillingDocument"),
    text("SDDocumentCategory", 4),
    text("BillingDocumentCategory", 1),
    text("BillingDocumentType", 4),
    plain(Kind.DATE, "CreationDate"),
    plain(Kind.TIME, "CreationTime"),
    plain(Kind.DATE, "LastChangeDate"),
    plain(Kind.INSTANT, "LastChangeDateTime"),
    text("SalesOrganization", 4),
    text("DistributionChannel Division", 2),
    plain(Kind.DATE, "BillingDocumentDate"),
    plain(Kind.BOOLEAN, "BillingDocumentIsCancelled"),
    number("CancelledBillingDocument"),
    decimal("TotalNetAmount", _CURRENCY),
    text(_CURRENCY, 5),
    decimal("TaxAmount", _CURRENCY, 14),
    decimal("TotalGrossAmount", _CURRENCY, 17),
    number("PayerParty"),
    text("CustomerPaymentTerms", 4),
    text("PaymentReference", 30),
    text("CompanyCode FiscalYear", 4),
    number("AccountingDocument"),
    text("DocumentReferenceID", 16),
    number("SoldToParty"),
    text("PurchaseOrderByCustomer", 35),
    text("Country", 3),
    text("OverallSDProcessStatus OverallBillingStatus AccountingPostingStatus", 1),
    text("AccountingTransferStatus InvoiceClearingStatus", 1),
    go=(to_many("to_Item", "A_BillingDocumentItem", "BillingDocument"),),
)

_ITEM = entity_set(
    "A_BillingDocumentItem",
    "erp_billing_document_item",
    "BillingDocument BillingDocumentItem",
    number("BillingDocument"),
    number("BillingDocumentItem", 6),
    text("SalesDocumentItemCategory", 4),
    plain(Kind.DATE, "CreationDate"),
    text("Material", 40),
    text("MaterialGroup", 9),
    text("Plant", 4),
    text("BillingDocumentItemText", 40),
    decimal("BillingQuantity", "BillingQuantityUnit", 13),
    text("BillingQuantityUnit", 3),
    decimal("NetAmount", _CURRENCY),
    text(_CURRENCY, 5),
    decimal("GrossAmount", _CURRENCY),
    decimal("TaxAmount", _CURRENCY, 14),
    number("ReferenceSDDocument"),
    number("ReferenceSDDocumentItem", 6),
    text("ReferenceSDDocumentCategory", 4),
    number("SalesDocument"),
    number("SalesDocumentItem", 6),
    text("SalesSDDocumentCategory", 4),
    go=(to_one("to_BillingDocument", "A_BillingDocument", "BillingDocument"),),
)

BILLING = service(
    "/sap/opu/odata/sap/API_BILLING_DOCUMENT_SRV", "API_BILLING_DOCUMENT_SRV", _HEADER, _ITEM
)
