"""What a file is, by its content, and the name it is kept under."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.files.names import MOST_BYTES, clean_name, extension
from gateway.files.types import BY_DEFAULT, KNOWN, Looker
from gateway.files.verdict import Verdict, shown, verdict
from schema.problems import Problem, ProblemCode
from tests.gateway.files import samples


def looked(content: bytes, step: int = 1_000_000) -> str | None:
    looker = Looker()
    for at in range(0, len(content), step):
        looker.feed(content[at : at + step])
    return looker.found()


@pytest.mark.parametrize("name", samples.TAKEN)
@pytest.mark.parametrize("step", [1, 37, 1_000_000])
def test_what_is_taken_is_told_by_its_content(name: str, step: int) -> None:
    content, kind = samples.TAKEN[name]
    assert verdict(name, looked(content, step), BY_DEFAULT) == Verdict(name, kind)


@pytest.mark.parametrize("case", samples.NOT_TAKEN)
def test_what_is_not_taken_is_refused_under_any_name(case: str) -> None:
    name, content = samples.NOT_TAKEN[case]
    refused = verdict(name, looked(content), BY_DEFAULT)
    assert isinstance(refused, Problem)
    assert refused.code is ProblemCode.FILE_TYPE_NOT_ALLOWED


def test_an_archive_is_taken_where_a_company_wants_it() -> None:
    content = samples.zipped({"a.txt": "a"})
    assert verdict("a.zip", looked(content), ("application/zip",)) == Verdict(
        "a.zip", "application/zip"
    )


def test_a_large_document_is_told_by_its_end() -> None:
    large = samples.office("word", **{f"word/media/{n}.bin": bytes(30_000) for n in range(400)})
    padded = samples.zipped(
        {"[Content_Types].xml": "<Types/>", "word/a.xml": "x" * 10, "word/b.bin": bytes(900_000)}, 0
    )
    assert len(padded) > 900_000
    assert {looked(large), looked(padded)} == {samples.TAKEN["carta.docx"][1]}


@pytest.mark.parametrize(
    ("name", "found", "kept"),
    [
        ("factura", "application/pdf", "factura.pdf"),
        ("factura.v2", "application/pdf", "factura.v2.pdf"),
        ("foto.jpg", "image/png", "foto.png"),
        ("foto.jpeg", "image/heic", "foto.heic"),
        ("limpiar.bat", "text/plain", "limpiar.bat.txt"),
        ("página.html", "text/plain", "página.html.txt"),
        ("factura.exe.pdf", "application/pdf", "factura.exe.pdf"),
    ],
)
def test_a_name_ends_like_its_content(name: str, found: str, kept: str) -> None:
    judged = verdict(name, found, BY_DEFAULT)
    assert isinstance(judged, Verdict)
    assert judged.filename == kept


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\factura.pdf", "factura.pdf"),
        ("a/b\\c.pdf", "c.pdf"),
        ("factura\x00.pdf", "factura.pdf"),
        ("factura\u202efdp.exe", "facturafdp.exe"),
        ("fac\u200btura\ufeff.pdf", "factura.pdf"),
        ("  .factura . pdf. . ", "factura . pdf"),
        ("CON", "_CON"),
        ("lpt1.pdf", "_lpt1.pdf"),
        ("nul.", "_nul"),
        ("console.pdf", "console.pdf"),
        ("a<b>:c|d?.pdf", "a_b__c_d_.pdf"),
        ("uno\r\ndos\t.pdf", "unodos .pdf"),
        ("mañana.pdf", "mañana.pdf"),
        ("", "file"),
        ("...", "file"),
        ("/", "file"),
        ("\u202e", "file"),
        ("a" * 400 + ".pdf", "a" * (MOST_BYTES - 4) + ".pdf"),
        ("ñ" * 200, "ñ" * (MOST_BYTES // 2)),
    ],
)
def test_names_are_cleaned(raw: str, kept: str) -> None:
    assert clean_name(raw) == kept


@given(st.text(max_size=400))
def test_any_name_can_be_kept_anywhere(raw: str) -> None:
    name = clean_name(raw)
    assert 0 < len(name.encode()) <= MOST_BYTES
    assert name.isprintable()
    assert name == clean_name(name)
    assert not set(name) & set('/\\<>:"|?*\x00')
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    for kind, endings in KNOWN.items():
        judged = verdict(name, kind, BY_DEFAULT)
        if isinstance(judged, Verdict):
            assert len(judged.filename.encode()) <= MOST_BYTES
            assert extension(judged.filename) in endings or kind == "text/plain"


@given(st.binary(max_size=300))
def test_anything_can_be_looked_at(content: bytes) -> None:
    found = looked(content)
    assert found is None or found in KNOWN
    for start in (samples.PDF, samples.PNG, samples.DOCX[:40], b"PK\x03\x04"):
        looked(start + content)


def test_sizes_are_shown_as_people_say_them() -> None:
    assert [shown(size * 1024**2 // 10) for size in (250, 255, 1, 0)] == ["25", "25.5", "0", "0"]
