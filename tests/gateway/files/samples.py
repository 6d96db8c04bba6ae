"""Small files of every kind that is taken, and of some that are not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200)
JPEG = _JPEG + bytes(200) + b"\xff\xd9"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(100)
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
TEXT = "Señores: el pedido llegó incompleto.\r\n".encode()
CSV = b"material;cantidad\n4711;3\n"


def zipped(entries: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in entries.items():
            stored = zipfile.ZIP_STORED if name == "mimetype" else compression
            archive.writestr(name, content, compress_type=stored)
    return out.getvalue()


def office(part: str, **more: bytes | str) -> bytes:
    """A document of Microsoft Office. part: "word", "xl" or "ppt"."""
    return zipped({"[Content_Types].xml": "<Types/>", f"{part}/main.xml": "x" * 500, **more})


def open_document(kind: str) -> bytes:
    """A document of LibreOffice. kind: "text", "spreadsheet" or "presentation"."""
    said = f"application/vnd.oasis.opendocument.{kind}"
    return zipped({"mimetype": said, "content.xml": "<office/>"})


DOCX, XLSX, PPTX = office("word"), office("xl"), office("ppt")
ODT = open_document("text")

#: Under the names that people give them.
TAKEN: Mapping[str, tuple[bytes, str]] = {
    "factura.pdf": (PDF, "application/pdf"),
    "foto.png": (PNG, "image/png"),
    "foto.JPG": (JPEG, "image/jpeg"),
    "foto.webp": (WEBP, "image/webp"),
    "foto.heic": (HEIC, "image/heic"),
    "carta.docx": (DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "lista.xlsx": (XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "charla.pptx": (
        PPTX,
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    "carta.odt": (ODT, "application/vnd.oasis.opendocument.text"),
    "lista.ods": (
        open_document("spreadsheet"),
        "application/vnd.oasis.opendocument.spreadsheet",
    ),
    "nota.txt": (TEXT, "text/plain"),
    "latin1.txt": ("Señores".encode("latin-1"), "text/plain"),
    "lista.csv": (CSV, "text/csv"),
    "excel.csv": (b"\xef\xbb\xbf" + CSV, "text/csv"),
}

_BOMB = zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": bytes(20_000_000)})

#: Under a name that would be taken.
NOT_TAKEN: Mapping[str, tuple[str, bytes]] = {
    "a program of Windows": ("factura.pdf", b"MZ\x90\x00" + bytes(300)),
    "a program of Linux": ("foto.png", b"\x7fELF\x02\x01\x01" + bytes(300)),
    "a page": ("nota.txt", b"<!DOCTYPE html><html><script>alert(1)</script></html>"),
    "a page that starts late": ("nota.txt", b"\xef\xbb\xbf \r\n\t<script>alert(1)</script>"),
    "a page after a word": ("nota.txt", b"Hola <script>alert(1)</script>"),
    "a drawing that can run": ("foto.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "a drawing as text": ("nota.txt", b"<?xml version='1.0'?><svg onload='alert(1)'/>"),
    "a script": ("nota.txt", b"#!/bin/sh\nrm -rf /\n"),
    "an archive": ("carta.docx", zipped({"a.txt": "a"})),
    "a program of Java": ("carta.docx", office("word", **{"a/B.class": "x"})),
    "a document with macros": ("carta.docx", office("word", **{"word/vbaProject.bin": "x"})),
    "a document that writes elsewhere": ("carta.docx", office("word", **{"../../x": "x"})),
    "a document that unpacks to too much": ("carta.docx", _BOMB),
    "a document cut off": ("carta.docx", DOCX[:-30]),
    "an old document": ("carta.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
    "a picture and an archive": ("foto.png", PNG + zipped({"a.txt": "a"})),
    "a document and an archive": ("factura.pdf", PDF + zipped({"x.class": "a"})),
    "a picture and a page": ("foto.jpg", JPEG[:20] + b"<html><script>1</script>" + bytes(50)),
    "text with a zero": ("nota.txt", b"abc\x00def"),
    "text in UTF-16": ("lista.csv", "a;b\n".encode("utf-16")),
    "noise": ("factura.pdf", bytes(range(256)) * 3),
    "a video": ("foto.png", b"\x00\x00\x00\x20ftypisom" + bytes(100)),
    "a picture called a document": ("factura.pdf", PNG),
    "text called a document": ("carta.docx", TEXT),
}
