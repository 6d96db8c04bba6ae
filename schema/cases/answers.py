"""Checks what somebody filled in on a form of the catalogue; everything that is wrong at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from connectors.port.records import CaseDetail
from schema.cases.forms import LONG_TEXT, LONGEST, FormField, taken
from schema.problems import ProblemCode
from schema.texts import N_
from schema.user_errors import REQUIRED, Bounds
from schema.written import is_email, is_phone, lines, one_line

#: Most details that are looked at; no form has as many fields.
MOST = 100
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INVOICE = re.compile(r"\w[\w ./#-]*")

_WRONG_FORM = {
    "EMAIL": N_("This is no e-mail address."),
    "PHONE": N_("This is no telephone number."),
    "INTEGER": N_("This is no whole number."),
    "DATE": N_("This is no date. Write it as 2026-03-31."),
    "CHOICE": N_("This is none of the options."),
    "INVOICE_NUMBER": N_("This is no invoice number."),
}


class Given(Protocol):
    """A detail as it was sent."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A field of the form with what was filled in. path: where that stands in the input."""

    field: FormField
    value: str
    path: tuple[str, ...]


def answers(
    bounds: Bounds, form: Sequence[FormField], given: Sequence[Given], filled: Iterable[str] = ()
) -> list[Answer]:
    """What can be taken, in the order of the form. filled: fields that are answered elsewhere."""
    if len(given) > MOST:
        bounds.tell(ProblemCode.INVALID, N_("No form has so many fields."), "details")
        return []
    found = _by_name(bounds, {field.name: field for field in form}, given)
    good = []
    for field in form:
        if field.name in found:
            place, value = found[field.name]
            path = ("details", str(place), "value")
            shaped = _checked(bounds, field, value, path)
            good += [Answer(field, shaped, path)] if shaped else []
        elif field.required and field.name not in filled:
            bounds.tell(ProblemCode.REQUIRED, REQUIRED, "details", field.name)
    return good


def details(bounds: Bounds, pairs: Iterable[tuple[FormField, str]]) -> tuple[CaseDetail, ...]:
    """As a case holds them. CRMs keep all of them as one text."""
    found = tuple(CaseDetail(field.name, value) for field, value in pairs)
    whole = json.dumps({one.name: one.value for one in found}, ensure_ascii=False)
    if taken(whole) > LONG_TEXT:
        text = N_("These fields are too long together. Send a longer text as a file.")
        bounds.tell(ProblemCode.TOO_LONG, text, "details")
    return found


def _by_name(
    bounds: Bounds, form: Mapping[str, FormField], given: Sequence[Given]
) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for place, one in enumerate(given):
        if one.name not in form:
            text = N_("This form has no such field.")
            bounds.tell(ProblemCode.INVALID, text, "details", str(place), "name")
        elif one.name in found:
            text = N_("This field was filled in twice.")
            bounds.tell(ProblemCode.CONFLICT, text, "details", str(place), "name")
        else:
            found[one.name] = place, one.value
    return found


def _checked(bounds: Bounds, field: FormField, value: str, path: tuple[str, ...]) -> str:
    """The value in its shape, empty where there is none or it is wrong."""
    shaped = lines(value) if field.type == "MULTILINE" else one_line(value)
    if shaped and not _fits(field, shaped):
        bounds.tell(ProblemCode.INVALID, _WRONG_FORM[field.type], *path)
        return ""
    most = field.max_length or LONGEST.get(field.type, 255)
    return shaped if bounds.written(path, shaped, most, needed=field.required) else ""


def _fits(field: FormField, value: str) -> bool:
    match field.type:
        case "EMAIL":
            return is_email(value)
        case "PHONE":
            return is_phone(value)
        case "INTEGER":
            return _INTEGER.fullmatch(value) is not None
        case "DATE":
            return _is_day(value)
        case "CHOICE":
            return any(option.value == value for option in field.options or ())
        case "INVOICE_NUMBER":
            return _INVOICE.fullmatch(value) is not None
        case _:
            return True


def _is_day(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False
