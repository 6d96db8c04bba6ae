"""Keeps files the vendor's way: a version with the bytes, its document, and links to records."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from sandbox.crm import ids
from sandbox.crm.blobs import write_blob
from sandbox.crm.calls import Blob
from sandbox.crm.errors import Refusal
from sandbox.database import insert

_TYPES: Final = {
    "pdf": "PDF",
    "png": "PNG",
    "jpg": "JPG",
    "jpeg": "JPG",
    "gif": "GIF",
    "txt": "TEXT",
    "csv": "CSV",
    "docx": "WORD_X",
    "xlsx": "EXCEL_X",
}


def extension_and_type(name: str) -> tuple[str, str]:
    """`photo.JPG` -> ("jpg", "JPG"); a name without an ending is of type UNKNOWN."""
    extension = PurePosixPath(name).suffix.removeprefix(".").lower()
    return extension, _TYPES.get(extension, "UNKNOWN")


def next_number(connection: sqlite3.Connection, name: str) -> int:
    """The next number of a series: of an object's ids by their prefix, or of `CaseNumber`."""
    row = connection.execute(
        "INSERT INTO crm_counter VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1 "
        "RETURNING value",
        (name,),
    ).fetchone()
    number: int = row[0]
    return number


def store_file(
    connection: sqlite3.Connection,
    values: Mapping[str, Any],
    blob: Blob | None,
    system: Mapping[str, Any],
    visibility: str = "AllUsers",
) -> str:
    """Keep a file as one new version of one new document, and give the version's id.

    values: PathOnClient, and if wanted Title, FirstPublishLocationId and custom fields. Raises
    Refusal.
    """
    name = values.get("PathOnClient")
    if not name or blob is None:
        missing = "PathOnClient" if not name else "VersionData"
        message = f"Required fields are missing: [{missing}]"
        raise Refusal(400, "REQUIRED_FIELD_MISSING", message, (missing,))
    if values.get("ContentDocumentId"):
        message = "the sandbox does not model further versions of a document"
        raise Refusal(400, "FIELD_INTEGRITY_EXCEPTION", message, ("ContentDocumentId",))
    extension, kind = extension_and_type(name)
    version = ids.numbered("068", next_number(connection, "068"))
    document = ids.numbered("069", next_number(connection, "069"))
    described = {
        "Title": values.get("Title") or PurePosixPath(name).stem,
        "FileExtension": extension,
        "FileType": kind,
        "ContentSize": blob.size,
    }
    place = values.get("FirstPublishLocationId")
    insert(
        connection,
        "crm_ContentVersion",
        {
            "Id": version,
            "ContentDocumentId": document,
            "PathOnClient": name,
            "IsLatest": 1,
            "FirstPublishLocationId": place,
            "ContentLocation": "S",
            **{name: value for name, value in values.items() if name.endswith("__c")},
            **described,
            **system,
        },
    )
    owner = system["CreatedById"]
    row = {"Id": document, "LatestPublishedVersionId": version, "OwnerId": owner}
    insert(connection, "crm_ContentDocument", {**row, **described, **system})
    write_blob(connection, version, blob)
    if place:
        insert(
            connection,
            "crm_ContentDocumentLink",
            {
                "Id": ids.numbered("06A", next_number(connection, "06A")),
                "LinkedEntityId": place,
                "ContentDocumentId": document,
                "ShareType": "V",
                "Visibility": visibility,
                **system,
            },
        )
    return version
