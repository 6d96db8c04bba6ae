"""Business partners over OData V2: customers and carriers with their addresses."""

from sandbox.erp.model import Kind, entity_set, number, plain, service, text, to_many, to_one

_PARTNER = entity_set(
    "A_BusinessPartner",
    "erp_business_partner",
    "BusinessPartner",
    number("BusinessPartner Customer Supplier"),
    text("BusinessPartnerCategory", 1),
    text("BusinessPartnerFullName", 81),
    text("BusinessPartnerGrouping", 4),
    text("BusinessPartnerName", 81),
    plain(Kind.GUID, "BusinessPartnerUUID"),
    text("CorrespondenceLanguage", 2),
    text("CreatedByUser", 12),
    plain(Kind.DATE, "CreationDate"),
    plain(Kind.TIME, "CreationTime"),
    text("FirstName", 40),
    text("Language", 2),
    plain(Kind.DATE, "LastChangeDate"),
    plain(Kind.TIME, "LastChangeTime"),
    text("LastName OrganizationBPName1 OrganizationBPName2", 40),
    text("SearchTerm1 SearchTerm2", 20),
    plain(Kind.BOOLEAN, "BusinessPartnerIsBlocked IsMarkedForArchiving"),
    go=(
        to_many("to_BusinessPartnerAddress", "A_BusinessPartnerAddress", "BusinessPartner"),
        to_one("to_Customer", "A_Customer", "Customer"),
    ),
)

_ADDRESS = entity_set(
    "A_BusinessPartnerAddress",
    "erp_business_partner_address",
    "BusinessPartner AddressID",
    number("BusinessPartner AddressID"),
    plain(Kind.INSTANT, "ValidityStartDate ValidityEndDate"),
    plain(Kind.GUID, "AddressUUID"),
    text("AddressTimeZone", 6),
    text("CityName", 40),
    text("Country", 3),
    text("District", 40),
    text("FullName", 80),
    text("HouseNumber", 10),
    text("Language", 2),
    text("PostalCode", 10),
    text("Region", 3),
    text("StreetName", 60),
    text("StreetPrefixName StreetSuffixName", 40),
    text("TransportZone", 10),
)

_CUSTOMER = entity_set(
    "A_Customer",
    "erp_customer",
    "Customer",
    number("Customer"),
    text("BillingIsBlockedForCustomer", 2),
    text("CreatedByUser", 12),
    plain(Kind.DATE, "CreationDate"),
    text("CustomerAccountGroup", 4),
    text("CustomerClassification", 2),
    text("CustomerFullName", 220),
    text("CustomerName", 80),
    text("DeliveryIsBlocked OrderIsBlockedForCustomer", 2),
    plain(Kind.BOOLEAN, "PostingIsBlocked DeletionIndicator"),
    text("Industry", 4),
    text("TaxNumber1", 16),
    text("VATRegistration", 20),
)

PARTNERS = service(
    "/sap/opu/odata/sap/API_BUSINESS_PARTNER",
    "API_BUSINESS_PARTNER",
    _PARTNER,
    _ADDRESS,
    _CUSTOMER,
)
