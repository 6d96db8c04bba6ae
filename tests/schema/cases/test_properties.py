"""Whatever is written into whatever form: it is refused with a place and a reason, or what is taken
fits into the CRM and holds nothing that changes how it reads."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from schema.cases.forms import COMMENT, LONG_TEXT, SUBJECT, taken
from schema.written import can_be_kept, lines, one_line
from tests.schema.cases.office import COMMENT as SAY
from tests.schema.cases.office import CREATE, OURS, Crm, Office, case, case_id
from tests.worlds.running import catalogue

FORMS = [
    (category, sub)
    for category in catalogue().categories
    for sub in (category.subcategories or (None,))
]
ANY = st.text(st.characters(), max_size=60)
LIKELY = {
    "TEXT": "Placa",
    "MULTILINE": "Una\r\ny otra",
    "EMAIL": "a@b.example",
    "PHONE": "+57 1 555 0100",
    "INTEGER": "12",
    "CHOICE": "OTHER",
    "ORDER_NUMBER": OURS.number,
    "INVOICE_NUMBER": "FE-1",
}


def words(kind: str = "TEXT") -> st.SearchStrategy[str]:
    """What is written into a field of a type: mostly what fits."""
    likely = [st.just(LIKELY[kind])] * 12
    return st.one_of(*likely, st.sampled_from([*LIKELY.values()]), ANY, ANY.map(lambda t: t * 200))


@st.composite
def filled_in(draw: Any) -> dict[str, Any]:
    """Something sent for a form: mostly its own fields, at times others, twice or too few."""
    category, sub = draw(st.sampled_from(FORMS))
    form = (*category.form, *(sub.form if sub else ()))
    kinds = {field.name: field.type for field in form}
    chosen = [field.name for field in form if draw(st.integers(0, 29))]
    chosen += [draw(st.sampled_from([*chosen, "colour", ""]))] * (not draw(st.integers(0, 9)))
    sent: dict[str, Any] = {
        "category": category.code,
        "subcategory": sub.code if sub else None,
        "description": draw(words()),
        "details": [
            {"name": name, "value": draw(words(kinds.get(name, "TEXT")))} for name in chosen
        ],
    }
    sent |= draw(st.fixed_dictionaries({}, optional={"subject": words()}))
    return sent


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(filled_in())
def test_a_form_is_refused_with_reasons_or_taken_whole(sent: dict[str, Any]) -> None:
    office = Office()
    with asyncio.Runner() as runner:
        payload = runner.run(office.do(CREATE, **sent))
    assert office.took is not None
    errors = payload["userErrors"]
    event(f"taken: {not errors}")
    assert bool(errors) is (payload["message"] is None) is not bool(office.took.opened)
    for error in errors:
        assert error["field"][0] == "input"
        assert error["message"].strip()
    for _, new, *_ in office.took.opened:
        assert new.subject
        assert len(new.subject) <= SUBJECT
        assert taken(new.description) <= LONG_TEXT
        told = {detail.name: detail.value for detail in new.details}
        assert taken(json.dumps(told, ensure_ascii=False)) <= LONG_TEXT
        for text in (new.subject, new.description, *told.values()):
            assert text == text.strip() != ""
            assert can_be_kept(text)
            assert unicodedata.normalize("NFC", text) == text


@settings(max_examples=100, deadline=None)
@given(st.one_of(ANY, ANY.map(lambda text: text * 100)))
def test_a_comment_is_refused_with_a_reason_or_fits(body: str) -> None:
    office = Office(Crm([case("1")]))
    with asyncio.Runner() as runner:
        payload = runner.run(office.do(SAY, caseId=case_id("1"), body=body))
    assert office.took is not None
    assert bool(payload["userErrors"]) is not bool(office.took.added)
    for _, _, said, _ in office.took.added:
        assert 0 < len(said.encode()) <= COMMENT
        assert can_be_kept(said)


@given(st.text(st.characters(), max_size=80))
def test_shaping_a_text_twice_changes_nothing_more(text: str) -> None:
    assert lines(lines(text)) == lines(text)
    assert one_line(one_line(text)) == one_line(text)
