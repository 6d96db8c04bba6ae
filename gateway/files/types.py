"""Tells what a file is by its content, whatever its name says. Pure.

A table of our own, and short: libraries that guess by signatures call every ZIP file a Word
document and know nothing of text, and only what is on the list of a company is let in anyway.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Final

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
WEBP, HEIC, HEIF = "image/webp", "image/heic", "image/heif"
TEXT, CSV, ZIP = "text/plain", "text/csv", "application/zip"
_OFFICE = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OFFICE}.wordprocessingml.document"
XLSX = f"{_OFFICE}.spreadsheetml.sheet"
PPTX = f"{_OFFICE}.presentationml.presentation"
_OPEN = "application/vnd.oasis.opendocument"
ODT, ODS, ODP = f"{_OPEN}.text", f"{_OPEN}.spreadsheet", f"{_OPEN}.presentation"

#: Media types that can be told, with the extensions that fit; the first is given to a name that
#: has none.
KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    PDF: ("pdf",),
    PNG: ("png",),
    JPEG: ("jpg", "jpeg", "jpe", "jfif"),
    WEBP: ("webp",),
    HEIC: ("heic", "heif"),
    HEIF: ("heif", "heic"),
    DOCX: ("docx",),
    XLSX: ("xlsx",),
    PPTX: ("pptx",),
    ODT: ("odt",),
    ODS: ("ods",),
    ODP: ("odp",),
    TEXT: ("txt", "log", "md"),
    CSV: ("csv",),
    ZIP: ("zip",),
}
#: Everything but archives, which hide what they hold.
BY_DEFAULT: Final = tuple(name for name in KNOWN if name != ZIP)

#: Bytes of a file's beginning and end that are looked at.
HEAD, TAIL = 4_096, 256 * 1024
#: How far browsers look that guess types.
_SNIFFED = 1_500
#: Largest sum of what a ZIP file unpacks to, how many times itself that may be, and most entries.
_MOST_UNPACKED, _MOST_TIMES, _MOST_ENTRIES = 2 * 1024**3, 250, 10_000

#: How a page or a program begins. Something that is both a picture and a page is taken for neither.
_ACTIVE = re.compile(
    rb"<\s*(!doctype|html|head|body|script|iframe|svg|object|embed|\?php)|<\?php|<\?xml[^>]{0,200}>"
    rb"\s*<\s*(svg|html)",
    re.IGNORECASE,
)
#: What text may hold: printable bytes, tabs and ends of lines; 0x80 to 0xFF are letters.
_LETTERS = bytes([9, 10, 12, 13, *range(32, 127), *range(128, 256)])
#: Ways in which a text is a program or a document of another kind.
_NO_TEXT = (b"#!", b"<", b"{\\rtf", b"%!PS", b"%PDF", b"MZ")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_HEIF_BRANDS = {b"mif1", b"msf1"}
_END, _ENCRYPTED = b"PK\x05\x06", 1


class Looker:
    """Looks at a file as its bytes go by. Holds no more than its beginning and its end."""

    def __init__(self) -> None:
        self._head, self._tail, self._size = b"", b"", 0
        self._is_text = True

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        self._tail = (self._tail + data)[-TAIL:] if len(data) < TAIL else data[-TAIL:]
        self._size += len(data)
        if self._is_text and data.translate(None, _LETTERS):
            self._is_text = False

    def found(self) -> str | None:
        """The media type of what was fed, None for what is none of KNOWN or pretends to be two
        things at once."""
        if self._head.startswith(b"PK\x03\x04"):
            return self._zipped()
        kind = _by_signature(self._head)
        if kind is not None:
            hides = _ACTIVE.search(self._head[:_SNIFFED]) or self._ends_as_zip()
            return None if hides else kind
        return TEXT if self._size and self._is_text and not self._is_program() else None

    def _is_program(self) -> bool:
        start = self._head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return start.startswith(_NO_TEXT) or bool(_ACTIVE.search(start))

    def _ends_as_zip(self) -> bool:
        """Whether programs that unpack would find an archive: they look from the end."""
        at = self._tail.rfind(_END)
        if at < 0 or at + 22 > len(self._tail):
            return False
        return at + 22 + int.from_bytes(self._tail[at + 20 : at + 22], "little") == len(self._tail)

    def _zipped(self) -> str | None:
        try:
            with zipfile.ZipFile(io.BytesIO(self._tail)) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, UnicodeError, NotImplementedError):
            return None
        if not entries or len(entries) > _MOST_ENTRIES or not self._ends_as_zip():
            return None
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > min(_MOST_UNPACKED, _MOST_TIMES * max(self._size, 4_096)):
            return None
        names = {entry.filename for entry in entries}
        if any(_escapes(name) or _runs(name) for name in names) or len(names) < len(entries):
            return None
        if any(entry.flag_bits & _ENCRYPTED for entry in entries):
            return None  # no scanner could look into it
        return _packed(names, self._head)


def _by_signature(head: bytes) -> str | None:
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and head[12:15] == b"VP8":
        return WEBP
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIC_BRANDS:
            return HEIC
        if brand in _HEIF_BRANDS:
            return HEIC if b"heic" in head[16:64] else HEIF
    return None


def _packed(names: set[str], head: bytes) -> str:
    """Which document a ZIP file is, by the parts that its standard asks for."""
    if "[Content_Types].xml" in names:
        for part, kind in (("word/", DOCX), ("xl/", XLSX), ("ppt/", PPTX)):
            if any(name.startswith(part) for name in names):
                return kind
    # OpenDocument says what it is in its first entry, which is not compressed.
    if head[30:38] == b"mimetype":
        for kind in (ODT, ODS, ODP):
            said = kind.encode()
            if head[38:].startswith(said) and head[38 + len(said) :][:2] == b"PK":
                return kind
    return ZIP


def _escapes(name: str) -> bool:
    """Whether unpacking would write elsewhere than in the folder it was told."""
    parts = re.split(r"[/\\]", name)
    return name.startswith(("/", "\\")) or ".." in parts or "\0" in name or name[1:2] == ":"


def _runs(name: str) -> bool:
    """Macros of Office and classes of Java: a document that is a program."""
    lowered = name.lower()
    return lowered.endswith(("vbaproject.bin", ".class", "vbadata.xml")) or (
        lowered == "meta-inf/manifest.mf"
    )
