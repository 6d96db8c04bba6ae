"""What the CRM knows of: its objects, their fields, and how they refer to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sandbox.crm import blobs

# The types that the vendor's describe names. A textarea here is a long one: it cannot be filtered.
_LONG: Final = frozenset({"textarea", "base64", "anyType"})
IDS: Final = frozenset({"id", "reference"})
TEXTS: Final = frozenset(
    {"string", "picklist", "multipicklist", "email", "phone", "textarea", "base64", "url"}
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field. to: the object a reference points at; parent: the name to walk there by."""

    name: str
    type: str = "string"
    length: int = 255
    to: str = ""
    parent: str = ""
    values: tuple[str, ...] = ()
    required: bool = False
    external: bool = False
    writable: bool = True
    updatable: bool = True

    @property
    def filterable(self) -> bool:
        return self.type not in _LONG

    @property
    def sortable(self) -> bool:
        return self.type not in _LONG and self.type != "multipicklist"


@dataclass(frozen=True, slots=True)
class Entity:
    """One object. children: relationship name -> (child object, its field that points here)."""

    name: str
    prefix: str
    fields: dict[str, Field]
    parents: dict[str, Field]
    children: dict[str, tuple[str, str]] = field(default_factory=dict)
    creatable: bool = True

    @property
    def table(self) -> str:
        return f"crm_{self.name}"

    def find(self, name: str) -> Field | None:
        """A field by its name in any case, as the vendor reads it."""
        return self.fields.get(name.lower())

    def parent(self, name: str) -> Field | None:
        return self.parents.get(name.lower())

    def child(self, name: str) -> tuple[str, str] | None:
        return next((c for key, c in self.children.items() if key.lower() == name.lower()), None)


def _entity(
    name: str,
    prefix: str,
    *own: Field,
    children: dict[str, tuple[str, str]] | None = None,
    creatable: bool = True,
    modified: bool = True,
) -> Entity:
    listed = [Field("Id", "id", 18, writable=False, updatable=False), *own]
    listed.append(_system("CreatedDate"))
    listed.append(_system("CreatedById", "reference", "User", "CreatedBy"))
    if modified:
        listed += [_system("LastModifiedDate"), _system("SystemModstamp")]
    return Entity(
        name,
        prefix,
        {one.name.lower(): one for one in listed},
        {one.parent.lower(): one for one in listed if one.parent},
        children or {},
        creatable,
    )


def _system(name: str, kind: str = "datetime", to: str = "", parent: str = "") -> Field:
    return Field(name, kind, 18 if to else 0, to, parent, writable=False, updatable=False)


def _reference(name: str, to: str, *, required: bool = False, fixed: bool = False) -> Field:
    parent = f"{name[:-3]}__r" if name.endswith("__c") else name.removesuffix("Id")
    return Field(name, "reference", 18, to, parent, required=required, updatable=not fixed)


STATUSES: Final = ("New", "Working", "Waiting on Customer", "Escalated", "Resolved", "Closed")
CLOSED_STATUSES: Final = frozenset({"Closed"})
TYPES: Final = ("Query", "Invoice Claim", "Service Claim", "Product Claim", "Other Request")
SUBCATEGORIES: Final = ("Database Update", "Technical Support", "Document Request", "Training")
ROLES: Final = ("Decision Maker", "Portal Admin", "Portal Member", "Portal Reader")
_LANGUAGES: Final = ("es", "en_US", "pt_BR")

_ACCOUNT = _entity(
    "Account",
    "001",
    Field("Name", required=True),
    Field("AccountNumber", length=40),
    Field("TaxId__c", length=40),
    Field("BillingStreet"),
    Field("BillingCity", length=40),
    Field("BillingState", length=80),
    Field("BillingPostalCode", length=20),
    Field("BillingCountry", length=80),
    Field("BillingCountryCode", "picklist", 10),
    Field("Phone", "phone", 40),
    Field("Website", "url"),
    children={
        "Contacts": ("Contact", "AccountId"),
        "Cases": ("Case", "AccountId"),
        "AccountContactRelations": ("AccountContactRelation", "AccountId"),
    },
)

_CONTACT = _entity(
    "Contact",
    "003",
    _reference("AccountId", "Account"),
    Field("Name", length=121, writable=False, updatable=False),
    Field("FirstName", length=40),
    Field("LastName", length=80, required=True),
    Field("Email", "email", 80),
    Field("Phone", "phone", 40),
    Field("MobilePhone", "phone", 40),
    Field("Title", length=128),
    Field("Language__c", length=20),
    children={
        "Cases": ("Case", "ContactId"),
        "AccountContactRelations": ("AccountContactRelation", "ContactId"),
    },
)

_RELATION = _entity(
    "AccountContactRelation",
    "07k",
    _reference("AccountId", "Account", required=True, fixed=True),
    _reference("ContactId", "Contact", required=True, fixed=True),
    Field("Roles", "multipicklist", 4099, values=ROLES),
    Field("IsActive", "boolean", 0),
    Field("IsDirect", "boolean", 0, writable=False, updatable=False),
    Field("StartDate", "date", 0),
    Field("EndDate", "date", 0),
)

_CASE = _entity(
    "Case",
    "500",
    Field("CaseNumber", length=30, writable=False, updatable=False),
    Field("Subject"),
    Field("Description", "textarea", 32_000),
    Field("Status", "picklist", values=STATUSES),
    Field("IsClosed", "boolean", 0, writable=False, updatable=False),
    Field("Type", "picklist", values=TYPES),
    Field("Subcategory__c", "picklist", values=SUBCATEGORIES),
    Field("Origin", "picklist", values=("Portal", "Email", "Phone")),
    Field("Priority", "picklist", values=("Low", "Medium", "High")),
    _reference("AccountId", "Account"),
    _reference("ContactId", "Contact"),
    Field("Order_Number__c", length=20),
    Field("Portal_Details__c", "textarea", 32_000),
    Field("Portal_Key__c", length=80, external=True),
    Field("Team__c", length=80),
    Field("ClosedDate", "datetime", 0, writable=False, updatable=False),
    children={
        "CaseComments": ("CaseComment", "ParentId"),
        "Histories": ("CaseHistory", "CaseId"),
        "ContentDocumentLinks": ("ContentDocumentLink", "LinkedEntityId"),
    },
)

_COMMENT = _entity(
    "CaseComment",
    "00a",
    _reference("ParentId", "Case", required=True, fixed=True),
    Field("CommentBody", "textarea", 4_000),
    Field("IsPublished", "boolean", 0),
)

_HISTORY = _entity(
    "CaseHistory",
    "017",
    _reference("CaseId", "Case", required=True, fixed=True),
    Field("Field", "picklist"),
    Field("DataType", "picklist"),
    Field("OldValue", "anyType"),
    Field("NewValue", "anyType"),
    creatable=False,
    modified=False,
)

_USER = _entity(
    "User",
    "005",
    Field("Name", length=121),
    Field("Username", length=80),
    Field("Email", "email", 128),
    _reference("ContactId", "Contact"),
    Field("IsActive", "boolean", 0),
    creatable=False,
)

_DOCUMENT = _entity(
    "ContentDocument",
    "069",
    Field("Title"),
    Field("FileExtension", length=40),
    Field("FileType", length=20),
    Field("ContentSize", "int", 0),
    Field("LatestPublishedVersionId", "reference", 18, "ContentVersion", "LatestPublishedVersion"),
    _reference("OwnerId", "User"),
    children={
        "ContentVersions": ("ContentVersion", "ContentDocumentId"),
        "ContentDocumentLinks": ("ContentDocumentLink", "ContentDocumentId"),
    },
    creatable=False,
)

_LINK = _entity(
    "ContentDocumentLink",
    "06A",
    Field("LinkedEntityId", "reference", 18, required=True, updatable=False),
    _reference("ContentDocumentId", "ContentDocument", required=True, fixed=True),
    Field("ShareType", "picklist", values=("V", "C", "I")),
    Field("Visibility", "picklist", values=("AllUsers", "InternalUsers", "SharedUsers")),
)

_VERSION = _entity(
    "ContentVersion",
    "068",
    _reference("ContentDocumentId", "ContentDocument", fixed=True),
    Field("Title"),
    Field("PathOnClient", length=500, updatable=False),
    Field("VersionData", "base64", 0, updatable=False),
    Field("ContentSize", "int", 0, writable=False, updatable=False),
    Field("FileExtension", length=40, writable=False, updatable=False),
    Field("FileType", length=20, writable=False, updatable=False),
    Field("IsLatest", "boolean", 0, writable=False, updatable=False),
    Field("FirstPublishLocationId", "reference", 18, updatable=False),
    Field("ContentLocation", "picklist", values=("S",), updatable=False),
    Field("Portal_Key__c", length=64, external=True),
    _reference("Portal_Contact__c", "Contact"),
)

_ENTRY = _entity(
    "Portal_Entry__c",
    "a00",
    Field("Portal_Key__c", length=64, external=True),
    _reference("Case__c", "Case"),
    _reference("Contact__c", "Contact"),
    Field("Comment_Id__c", length=18),
)

_KNOWLEDGE = _entity(
    "Knowledge__kav",
    "ka0",
    Field("KnowledgeArticleId", "reference", 18),
    Field("ArticleNumber"),
    Field("Title"),
    Field("UrlName"),
    Field("Summary", length=1_000),
    Field("Body__c", "textarea", 131_072),
    Field("Language", "picklist", values=_LANGUAGES),
    Field("PublishStatus", "picklist", values=("Online", "Draft", "Archived")),
    Field("LastPublishedDate", "datetime", 0),
    Field("IsVisibleInCsp", "boolean", 0),
    creatable=False,
)

ENTITIES: Final[dict[str, Entity]] = {
    one.name.lower(): one
    for one in (
        _ACCOUNT,
        _CONTACT,
        _RELATION,
        _CASE,
        _COMMENT,
        _HISTORY,
        _USER,
        _DOCUMENT,
        _LINK,
        _VERSION,
        _ENTRY,
        _KNOWLEDGE,
    )
}

_INDEXES: Final = (
    "Account(AccountNumber)",
    "Contact(AccountId)",
    "Contact(Email)",
    "AccountContactRelation(AccountId)",
    "AccountContactRelation(ContactId)",
    "Case(CaseNumber)",
    "Case(AccountId, CreatedDate)",
    "Case(Order_Number__c)",
    "CaseComment(ParentId)",
    "CaseHistory(CaseId)",
    "ContentDocumentLink(LinkedEntityId)",
    "ContentDocumentLink(ContentDocumentId)",
    "ContentVersion(ContentDocumentId)",
    "Portal_Entry__c(Case__c)",
    "Portal_Entry__c(Comment_Id__c)",
)


def entity(name: str) -> Entity | None:
    """An object by its name in any case."""
    return ENTITIES.get(name.lower())


def tables() -> list[str]:
    """The statements that create every table and index. Ids compare exactly, texts do not."""
    statements = [_table(one) for one in ENTITIES.values()]
    statements.append("CREATE TABLE crm_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL)")
    statements.append(blobs.TABLE)
    for at, words in enumerate(_INDEXES):
        target = words
        statements.append(f"CREATE INDEX crm_index_{at} ON crm_{target}")
    return statements


def _table(one: Entity) -> str:
    # Bytes are kept apart, so that reading the other fields of a file never touches them.
    columns = ", ".join(_column(f) for f in one.fields.values() if f.type != "base64")
    return f"CREATE TABLE {one.table} ({columns}) WITHOUT ROWID"


def _column(field: Field) -> str:
    if field.type == "id":
        return "Id TEXT PRIMARY KEY"
    if field.type in ("boolean", "int"):
        return f"{field.name} INTEGER"
    collation = " COLLATE NOCASE" if field.type in TEXTS else ""
    return f"{field.name} TEXT{collation}{' UNIQUE' if field.external else ''}"
