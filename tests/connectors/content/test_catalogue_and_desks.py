"""The data that the graph reads at its start: whole in every language, with hours that exist."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest

from connectors.systems.content.settings import OWN
from schema.cases.catalogue import Catalogue
from schema.cases.forms import Category, FormField, Subcategory

CATALOGUE = Catalogue.read(OWN.parent / "catalogue.toml")
DESKS: list[dict[str, Any]] = tomllib.loads((OWN.parent / "desks.toml").read_text("utf-8"))["desks"]
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def forms() -> Iterator[Category | Subcategory]:
    for category in CATALOGUE.categories:
        yield category
        yield from category.subcategories


def fields() -> Iterator[tuple[str, FormField]]:
    for form in forms():
        yield from ((form.code, field) for field in form.form)


def test_codes_and_kinds() -> None:
    assert [(category.code, category.kind) for category in CATALOGUE.categories] == [
        ("QUERY", "QUERY"),
        ("INVOICE_CLAIM", "CLAIM"),
        ("SERVICE_CLAIM", "CLAIM"),
        ("PRODUCT_CLAIM", "CLAIM"),
        ("OTHER_REQUEST", "REQUEST"),
    ]
    assert [sub.code for sub in CATALOGUE.category("OTHER_REQUEST").subcategories] == [
        "DATABASE_UPDATE",
        "TECHNICAL_SUPPORT",
        "DOCUMENT_REQUEST",
        "TRAINING",
    ]


def test_forms_ask_for_what_the_help_text_names() -> None:
    asked: dict[str, list[tuple[str, str]]] = {}
    for code, field in fields():
        asked.setdefault(code, []).append((field.name, field.type))
    assert asked == {
        "INVOICE_CLAIM": [("invoice", "INVOICE_NUMBER"), ("reason", "CHOICE")],
        "SERVICE_CLAIM": [("order", "ORDER_NUMBER"), ("stage", "CHOICE")],
        "PRODUCT_CLAIM": [("product", "TEXT"), ("batch", "TEXT"), ("quantity", "INTEGER")],
        "DATABASE_UPDATE": [
            *[("full_name", "TEXT"), ("email", "EMAIL"), ("phone", "PHONE"), ("job_title", "TEXT")],
        ],
        "TECHNICAL_SUPPORT": [("materials", "MULTILINE")],
        "DOCUMENT_REQUEST": [("certificate", "TEXT")],
        "TRAINING": [
            *[("company", "TEXT"), ("site_name", "TEXT"), ("address", "TEXT"), ("city", "TEXT")],
            *[("people", "INTEGER"), ("reason", "MULTILINE")],
        ],
    }


def test_what_forms_ask_beside_their_fields() -> None:
    """Requests are told by their subcategory; a service claim names its order in its own form."""
    asked = {form.code: (form.asks_subject, form.asks_order) for form in forms()}
    assert asked == {
        "QUERY": (True, True),
        "INVOICE_CLAIM": (True, True),
        "SERVICE_CLAIM": (True, False),
        "PRODUCT_CLAIM": (True, True),
        "OTHER_REQUEST": (False, False),
        "DATABASE_UPDATE": (False, False),
        "TECHNICAL_SUPPORT": (False, True),
        "DOCUMENT_REQUEST": (False, True),
        "TRAINING": (False, False),
    }
    assert {form.code: form.description_max_length for form in forms()} == {
        **dict.fromkeys(asked, 4_000),
        **dict.fromkeys(("DATABASE_UPDATE", "TRAINING"), 2_000),
    }


def test_every_text_stands_in_every_language() -> None:
    texts = [text for form in forms() for text in (form.label, form.description)]
    texts += [text for _, field in fields() for text in (field.label, field.help)]
    texts += [option.label for _, field in fields() for option in field.options or ()]
    assert len(texts) > 60
    for text in texts:
        assert text is not None
        for language in ("es", "en", "pt"):
            assert text.of(language).strip() == text.of(language) != ""


def test_every_case_is_routed_to_a_team() -> None:
    assert all(form.team for form in forms())


def test_fields_are_bounded_or_chosen() -> None:
    for code, field in fields():
        assert re.fullmatch(r"[a-z][a-z_]*", field.name), code
        assert bool(field.options) is (field.type == "CHOICE"), (code, field.name)
        assert (field.max_length is None) is (field.type == "CHOICE"), (code, field.name)
        values = [option.value for option in field.options or ()]
        assert len(values) == len(set(values))


def test_names_are_unique_within_a_form() -> None:
    for category in CATALOGUE.categories:
        for subcategory in category.subcategories or (None,):
            form = category.form + (subcategory.form if subcategory else ())
            names = [field.name for field in form]
            assert len(names) == len(set(names))


def test_desks_of_the_five_countries() -> None:
    assert [desk["country"] for desk in DESKS] == ["CO", "PE", "CL", "AR", "BR"]


@pytest.mark.parametrize("desk", DESKS, ids=lambda desk: str(desk["country"]))
def test_a_desk_can_be_reached_at_hours_that_exist(desk: dict[str, Any]) -> None:
    assert set(desk) == {
        *("country", "phone", "email", "chat_url", "time_zone", "holidays", "answer_within"),
        *("opening_hours", "answer_within_by_category"),
    }
    assert ZoneInfo(desk["time_zone"]).key == desk["time_zone"]
    assert re.fullmatch(r"\+\d[\d ]{8,16}", desk["phone"])
    # A host that nobody can own: the data is invented.
    assert desk["email"].endswith(".example")
    assert re.fullmatch(r"https://[a-z.]+\.example/[a-z]+", desk["chat_url"])
    assert set(desk["opening_hours"]) <= set(DAYS)
    assert len(desk["opening_hours"]) >= 5
    for spans in desk["opening_hours"].values():
        times = [time.fromisoformat(part) for span in spans for part in span.split("-")]
        assert times == sorted(set(times)), "spans are in order and do not meet"
        assert len(times) == 2 * len(spans) > 0


@pytest.mark.parametrize("desk", DESKS, ids=lambda desk: str(desk["country"]))
def test_a_desk_knows_its_holidays(desk: dict[str, Any]) -> None:
    told = desk["holidays"]
    assert set(told) <= {"country", "subdivision"}
    known = holidays.country_holidays(
        told["country"], subdiv=told.get("subdivision"), years=range(2026, 2029)
    )
    assert date(2026, 1, 1) in known
    assert {day.year for day in known} == {2026, 2027, 2028}


@pytest.mark.parametrize("desk", DESKS, ids=lambda desk: str(desk["country"]))
def test_answers_are_due_within_service_hours(desk: dict[str, Any]) -> None:
    within = desk["answer_within_by_category"]
    assert set(within) <= {category.code for category in CATALOGUE.categories}
    assert all(0 < hours <= 80 for hours in (desk["answer_within"], *within.values()))
