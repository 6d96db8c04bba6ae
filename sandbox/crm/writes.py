"""What callers change in the CRM: records and files, checked as the vendor checks them."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Final, TypeVar

from sandbox.crm import ids, moments
from sandbox.crm.calls import Answer, Blob, Call
from sandbox.crm.errors import Refusal, not_found
from sandbox.crm.files import next_number, store_file
from sandbox.crm.history import note_created, note_status
from sandbox.crm.objects import CLOSED_STATUSES, IDS, TEXTS, Entity, Field, entity
from sandbox.crm.records import Records, external_field, record_id
from sandbox.database import Database, insert
from sandbox.faults import PartFaults

T = TypeVar("T")

INTEGRATION_USER: Final = ids.numbered("005", 1)
_FULL_NAME: Final = (
    "UPDATE crm_Contact SET Name = trim(coalesce(FirstName, '') || ' ' || coalesce(LastName, '')) "
    "WHERE Id = ?"
)
# CaseComment is measured in bytes, unlike every other text.
_BYTES: Final = frozenset({("CaseComment", "CommentBody")})
# A new case gets one that is left out, but none can be emptied.
_NEVER_EMPTY: Final = frozenset({("Case", "Status")})


class Writes:
    """clock: what time it is, with a zone."""

    def __init__(
        self,
        database: Database,
        records: Records,
        faults: PartFaults,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._records = records
        self._faults = faults
        self._clock = clock

    def create(self, found: Entity, call: Call) -> Answer:
        """201 with the new id. Raises Refusal."""
        values = self._checked(found, call, creating=True)
        identity = self._insert(found, values, call.blob or _decoded(call.body))
        return _created(found, identity, call.base)

    def update(self, found: Entity, text: str, call: Call) -> Answer:
        """204. Raises Refusal."""
        identity = record_id(found, text)
        values = self._checked(found, call, creating=False)
        self._change(found, identity, values)
        return Answer(204, None)

    def upsert(self, found: Entity, key: str, value: str, call: Call) -> Answer:
        """201 for a new record, 200 for the one that holds the key already. Raises Refusal."""
        field = external_field(found, key)
        body = call.body if isinstance(call.body, dict) else {}
        if {"id", field.name.lower()} & {str(name).lower() for name in body}:
            message = f"The {field.name} field should not be specified in the sobject data."
            raise Refusal(400, "INVALID_FIELD", message, (field.name,))
        identity = self._records.identity_by_key(found, field, value)
        if identity is not None:
            self._change(found, identity, self._checked(found, call, creating=False))
            return Answer(200, {"id": identity, "success": True, "errors": [], "created": False})
        if call.query.get("updateOnly", "").lower() == "true":
            raise not_found()
        values = self._checked(found, call, creating=True)
        values[field.name] = _text(found, field, value)
        answer = _created(found, self._insert(found, values, None), call.base)
        return Answer(201, {**answer.body, "created": True}, answer.headers)

    def _checked(self, found: Entity, call: Call, *, creating: bool) -> dict[str, Any]:
        """The values of a body as the tables keep them. Raises Refusal for the first wrong one."""
        if not isinstance(call.body, dict):
            raise Refusal(400, "JSON_PARSER_ERROR", "The body must be a JSON object")
        if not found.creatable:
            message = (
                f"entity type {found.name} does not support {'create' if creating else 'update'}"
            )
            raise Refusal(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
        values = {}
        for name, value in call.body.items():
            field = found.find(name)
            if name == "attributes":
                continue
            if field is None:
                message = f"No such column '{name}' on sobject of type {found.name}"
                raise Refusal(400, "INVALID_FIELD", message)
            if not (field.writable if creating else field.updatable):
                verb = "create" if creating else "update"
                message = (
                    f"Unable to {verb} fields: {field.name}. Please check the security settings"
                )
                code = "INVALID_FIELD_FOR_INSERT_UPDATE"
                raise Refusal(400, code, f"{message} of this field.", (field.name,))
            if field.type != "base64":
                values[field.name] = self._value(found, field, value)
        self._validate(values)
        if creating:
            _require(found, values)
        return values

    def _validate(self, values: Mapping[str, Any]) -> None:
        """A validation rule, as an administrator of the organisation may have written one."""
        word = self._faults.reject
        if word and any(isinstance(value, str) and word in value for value in values.values()):
            self._faults.take("reject")
            message = f"Our rules refuse what holds {word}"
            raise Refusal(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", message, ())

    def _value(self, found: Entity, field: Field, value: Any) -> Any:
        if field.type == "boolean" and (value is None or isinstance(value, bool)):
            return int(bool(value))
        if value is None or value == "":
            if field.required or (found.name, field.name) in _NEVER_EMPTY:
                raise _missing(field.name)
            return None
        if field.type == "int" and isinstance(value, int) and not isinstance(value, bool):
            return value
        if field.type in ("date", "datetime") and isinstance(value, str):
            return _moment(field, value)
        if field.type in IDS and isinstance(value, str):
            return self._reference(field, value)
        if field.type in TEXTS and isinstance(value, str):
            return _text(found, field, value)
        message = f"Cannot deserialize instance of {field.type} from {type(value).__name__} value"
        raise Refusal(400, "JSON_PARSER_ERROR", message, (field.name,))

    def _reference(self, field: Field, value: str) -> str:
        identity = ids.full(value)
        target = entity(field.to) if field.to else None
        if identity is None or (target and not identity.startswith(target.prefix)):
            message = f"{field.name}: id value of incorrect type: {value}"
            raise Refusal(400, "MALFORMED_ID", message, (field.name,))
        if target and self._database.row(_exists(target), (identity,)) is None:
            message = "insufficient access rights on cross-reference id"
            raise Refusal(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message, ())
        return identity

    def _insert(self, found: Entity, values: dict[str, Any], blob: Blob | None) -> str:
        moment = moments.written(self._clock())
        system = {"CreatedDate": moment, "CreatedById": INTEGRATION_USER}
        if found.find("SystemModstamp"):
            system |= {"LastModifiedDate": moment, "SystemModstamp": moment}
        with self._database.transaction():
            if found.name == "ContentVersion":
                connection = self._database.connection
                return self._guarded(found, lambda: store_file(connection, values, blob, system))
            number = next_number(self._database.connection, found.prefix)
            identity = ids.numbered(found.prefix, number)
            row = {"Id": identity, **_defaults(found), **values, **system}
            row |= self._derived(found, row, moment)
            self._guarded(found, lambda: insert(self._database.connection, found.table, row))
            if found.name == "Case":
                note_created(self._database.connection, identity, INTEGRATION_USER, moment)
            if found.name == "Contact" and row.get("AccountId"):
                self._relate(identity, row["AccountId"], system)
        return identity

    def _relate(self, contact: str, account: str, system: Mapping[str, Any]) -> None:
        """A contact of an account has a relation to it from the start, without roles."""
        relation = entity("AccountContactRelation")
        assert relation is not None  # noqa: S101 - it is in the list
        number = next_number(self._database.connection, relation.prefix)
        row = {"Id": ids.numbered(relation.prefix, number), **_defaults(relation), **system}
        row |= {"AccountId": account, "ContactId": contact, "IsActive": 1, "IsDirect": 1}
        insert(self._database.connection, relation.table, row)

    def _derived(self, found: Entity, row: Mapping[str, Any], moment: str) -> dict[str, Any]:
        if found.name == "Case":
            number = row.get("CaseNumber")
            if number is None:
                number = f"{next_number(self._database.connection, 'CaseNumber'):08}"
            return {"CaseNumber": number, **_closing(row["Status"], moment)}
        if found.name == "Contact":
            parts = (row.get("FirstName"), row.get("LastName"))
            return {"Name": " ".join(part for part in parts if part)}
        return {}

    def _change(self, found: Entity, identity: str, values: dict[str, Any]) -> None:
        moment = moments.written(self._clock())
        if found.find("SystemModstamp"):
            values |= {"LastModifiedDate": moment, "SystemModstamp": moment}
        with self._database.transaction():
            if found.name == "Case" and "Status" in values:
                values |= self._moved(identity, values["Status"], moment)
            columns = ", ".join(f"{name} = ?" for name in values)
            sql = f"UPDATE {found.table} SET {columns} WHERE Id = ?"  # noqa: S608
            parameters = (*values.values(), identity)
            if values:
                write = self._guarded(found, lambda: self._database.execute(sql, parameters))
                if not write.rowcount:
                    raise not_found()
            if found.name == "Contact":
                self._database.execute(_FULL_NAME, (identity,))

    def _moved(self, case: str, status: str, moment: str) -> dict[str, Any]:
        """What else changes with a status; nothing where it stays."""
        row = self._database.row("SELECT Status FROM crm_Case WHERE Id = ?", (case,))
        if row is None or row[0] == status:
            return {}
        note_status(self._database.connection, case, INTEGRATION_USER, moment, row[0], status)
        return _closing(status, moment)

    def _guarded(self, found: Entity, write: Callable[[], T]) -> T:
        """What a write gives. Raises Refusal for a key that another record holds."""
        try:
            return write()
        except sqlite3.IntegrityError as error:
            keys = [one.name for one in found.fields.values() if one.external]
            message = f"duplicate value found: {', '.join(keys)} duplicates value on another record"
            raise Refusal(400, "DUPLICATE_VALUE", message, ()) from error


def _decoded(body: Mapping[str, Any]) -> Blob | None:
    """The bytes that a JSON body carries as base64, None for none. Raises Refusal."""
    encoded = body.get("VersionData")
    if not isinstance(encoded, str):
        return None
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        message = "VersionData: value not of required type: base64"
        raise Refusal(400, "JSON_PARSER_ERROR", message, ("VersionData",)) from error
    return Blob(BytesIO(data), len(data))


def _exists(found: Entity) -> str:
    return f"SELECT 1 FROM {found.table} WHERE Id = ?"  # noqa: S608


def _created(found: Entity, identity: str, base: str) -> Answer:
    body = {"id": identity, "success": True, "errors": []}
    return Answer(201, body, {"Location": f"{base}/sobjects/{found.name}/{identity}"})


def _defaults(found: Entity) -> dict[str, Any]:
    values: dict[str, Any] = {one.name: 0 for one in found.fields.values() if one.type == "boolean"}
    if found.name == "Case":
        values |= {"Status": "New", "Origin": "Portal", "Priority": "Medium"}
    return values


def _closing(status: Any, moment: str) -> dict[str, Any]:
    closed = status in CLOSED_STATUSES
    return {"IsClosed": int(closed), "ClosedDate": moment if closed else None}


def _require(found: Entity, values: Mapping[str, Any]) -> None:
    missing = [
        one.name for one in found.fields.values() if one.required and values.get(one.name) is None
    ]
    if missing:
        raise _missing(*missing)


def _missing(*names: str) -> Refusal:
    message = f"Required fields are missing: [{', '.join(names)}]"
    return Refusal(400, "REQUIRED_FIELD_MISSING", message, names)


def _moment(field: Field, value: str) -> str:
    read = moments.read_date if field.type == "date" else moments.read_datetime
    found = read(value)
    if found is None:
        message = f"Cannot deserialize instance of {field.type} from VALUE_STRING value {value}"
        raise Refusal(400, "JSON_PARSER_ERROR", message, (field.name,))
    return found


def _text(found: Entity, field: Field, value: str) -> str:
    length = len(value.encode()) if (found.name, field.name) in _BYTES else len(value)
    if field.length and length > field.length:
        message = f"{field.name}: data value too large: {value[:40]} (max length={field.length})"
        raise Refusal(400, "STRING_TOO_LONG", message, (field.name,))
    if field.values and field.type == "picklist" and value not in field.values:
        message = f"{field.name}: bad value for restricted picklist field: {value}"
        raise Refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,))
    return value
