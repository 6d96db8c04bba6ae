"""Reads records by id, one or many, and describes the objects that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sandbox.crm import ids
from sandbox.crm.blobs import read_blob
from sandbox.crm.calls import Download
from sandbox.crm.errors import Refusal, not_found
from sandbox.crm.objects import CLOSED_STATUSES, ENTITIES, Entity, Field, entity
from sandbox.crm.plan import Record, plan
from sandbox.crm.query import Queries
from sandbox.crm.soql import Literal, Membership, Name, Statement
from sandbox.database import Database

MOST_IDS: Final = 2_000
_ID: Final = Name(("Id",), 0)


class Records:
    """base, wherever it is asked for: the address before `/sobjects`."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    def one(self, found: Entity, text: str, fields: Sequence[str], base: str) -> Record:
        """Raises Refusal: MALFORMED_ID for another object's id, NOT_FOUND for an unknown one."""
        identity = record_id(found, text)
        [record] = self.many(found, [identity], fields or all_fields(found), base)
        if record is None:
            raise not_found()
        return record

    def by_key(
        self, found: Entity, key: str, value: str, fields: Sequence[str], base: str
    ) -> Record:
        """The record whose external id field `key` holds `value`. Raises Refusal."""
        identity = self.identity_by_key(found, external_field(found, key), value)
        if identity is None:
            raise not_found()
        return self.one(found, identity, fields, base)

    def identity_by_key(self, found: Entity, key: Field, value: str) -> str | None:
        sql = f"SELECT Id FROM {found.table} WHERE {key.name} = ?"  # noqa: S608
        row = self._database.row(sql, (value,))
        return None if row is None else str(row[0])

    def many(
        self, found: Entity, wanted: Sequence[str], fields: Sequence[str], base: str
    ) -> list[Record | None]:
        """The records in the order of `wanted`, None where there is none. Raises Refusal."""
        if len(wanted) > MOST_IDS:
            message = f"The number of ids may not exceed {MOST_IDS}"
            raise Refusal(400, "EXCEEDED_ID_LIMIT", message)
        names = {}
        for name in ("Id", *fields):
            field = found.find(name.strip())
            if field is None:
                message = f"No such column '{name}' on sobject of type {found.name}"
                raise Refusal(400, "INVALID_FIELD", message)
            names[field.name] = Name((field.name,), 0)
        full = [ids.full(one) for one in wanted]
        held = {one: Literal("string", one, 0) for one in full if one and _belongs(one, found)}
        if not held:
            return [None] * len(wanted)
        where = Membership(_ID, "in", tuple(held.values()))
        source = Name((found.name,), 0)
        # Through a plan, so that a record looks the same however it was asked for. No day matters.
        statement = Statement("Id", 0, tuple(names.values()), source, "", where, (), None, 0)
        prepared = plan(statement, date.min)
        rows = self._database.rows(prepared.sql, prepared.parameters)
        records = {one["Id"]: one for one in self._queries.records(prepared, rows, base)}
        return [records.get(one) if one else None for one in full]

    def blob(self, found: Entity, text: str, name: str) -> Download:
        """The bytes of a file. Raises Refusal (NOT_FOUND) for any other field."""
        field = found.find(name)
        if field is None or field.type != "base64":
            raise not_found()
        kept = read_blob(self._database.connection, ids.full(text) or "")
        if kept is None:
            raise not_found()
        return kept


def named_entity(name: str) -> Entity:
    """The object of an address. Raises Refusal (NOT_FOUND)."""
    found = entity(name)
    if found is None:
        raise not_found()
    return found


def record_id(found: Entity, text: str) -> str:
    """The 18 characters of an id in an address. Raises Refusal."""
    identity = ids.full(text)
    if identity is None:
        message = f"Provided external ID field does not exist or is not accessible: {text}"
        raise not_found(message)
    if not _belongs(identity, found):
        message = f"{found.name} ID: id value of incorrect type: {text}"
        raise Refusal(400, "MALFORMED_ID", message, ("Id",))
    return identity


def external_field(found: Entity, key: str) -> Field:
    field = found.find(key)
    if field is None or not field.external:
        message = f"Provided external ID field does not exist or is not accessible: {key}"
        raise not_found(message)
    return field


def all_fields(found: Entity) -> list[str]:
    return [one.name for one in found.fields.values()]


def _belongs(identity: str, found: Entity) -> bool:
    return identity.startswith(found.prefix)


def describe_global(base: str) -> dict[str, Any]:
    listed = [_summary(one, base) for one in ENTITIES.values()]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}


def describe(found: Entity, base: str) -> dict[str, Any]:
    """What the vendor's describe says of an object, as far as the sandbox knows it."""
    children = [
        {"childSObject": name, "field": link, "relationshipName": relationship}
        for relationship, (name, link) in found.children.items()
    ]
    fields = [_describe_field(found, one) for one in found.fields.values()]
    return {**_summary(found, base), "fields": fields, "childRelationships": children}


def _summary(found: Entity, base: str) -> dict[str, Any]:
    address = f"{base}/sobjects/{found.name}"
    return {
        "name": found.name,
        "label": found.name.removesuffix("__kav"),
        "keyPrefix": found.prefix,
        "custom": False,
        "createable": found.creatable,
        "updateable": found.creatable,
        "deletable": False,
        "queryable": True,
        "retrieveable": True,
        "urls": {
            "sobject": address,
            "describe": f"{address}/describe",
            "rowTemplate": f"{address}/{{ID}}",
        },
    }


def _describe_field(found: Entity, one: Field) -> dict[str, Any]:
    closed = {"isClosed": True} if (found.name, one.name) == ("Case", "Status") else {}
    values = [
        {"active": True, "defaultValue": False, "label": value, "value": value}
        | (closed if value in CLOSED_STATUSES else {})
        for value in one.values
    ]
    return {
        "name": one.name,
        "label": one.name.removesuffix("__c").replace("_", " "),
        "type": "string" if one.external else one.type,
        "length": one.length,
        "custom": one.name.endswith("__c"),
        "nillable": not one.required,
        "createable": found.creatable and one.writable,
        "updateable": found.creatable and one.updatable,
        "filterable": one.filterable,
        "sortable": one.sortable,
        "externalId": one.external,
        "unique": one.external,
        "picklistValues": values,
        "referenceTo": [one.to] if one.to else [],
        "relationshipName": one.parent or None,
    }
