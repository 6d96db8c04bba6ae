"""Reads cases from the bytes of an answer straight into records, by a plan that is made once for
each set of fields. Pure.

A plan takes only rows that are as documented. Whatever else comes (a number where a text should be,
a column that is missing) is None here, and `translate` then reads the answer row by row: it copes,
or says which column is wrong. The two read alike; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.making import maker, places, template
from connectors.port.records import Account, Case, Contact
from connectors.port.scope import AccountRef, Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.settings import Settings, Words

Get = Callable[[Any], Any]
#: Reads a record out of a row, for its owner.
Make = Callable[[Any, AccountRef], Any]

#: Plans that are kept: documents ask for few sets of fields, but clients write the documents.
_MOST: Final = 256
_FLAGS: Final = frozenset({"IsClosed"})


class _Unfit(ValueError):
    """The row is not as documented: `translate` has to look at it."""


class Plan:
    """How to read the cases of one set of fields."""

    def __init__(self, settings: Settings, fields: Fields) -> None:
        columns = selection.case(settings.columns, fields)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_shape(columns))
        self._owner = _text(selection.CASE_OWNER)
        self._case = _case(settings, fields)

    def read(self, answers: Iterable[msgspec.Raw], scope: Scope) -> list[Case] | None:
        """The cases of the scope; None when a row is not as documented."""
        found: list[Case] = []
        try:
            for answer in answers:
                for row in self._decoder.decode(answer):
                    owner = scope.by_id(self._owner(row))
                    if owner is not None:
                        found.append(self._case(row, owner))
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors too
            return None
        return found


class Plans:
    """The plans of one org."""

    def __init__(self, settings: Settings) -> None:
        def cases(fields: Fields) -> Plan:
            return Plan(settings, fields)

        self.cases = lru_cache(_MOST)(cases)


def _shape(columns: Iterable[str]) -> Any:
    """Rows with just these columns; a relationship is a struct inside, or null."""
    tree: dict[str, Any] = {}
    for column in columns:
        at = tree
        *way, last = column.split(".")
        for step in way:
            at = at.setdefault(step, {})
        at[last] = bool if last in _FLAGS else str
    return list[_struct("Row", tree)]  # type: ignore[misc]  # it is made here


def _struct(name: str, tree: Mapping[str, Any]) -> Any:
    held = [
        (key, (_struct(key, kind) if isinstance(kind, dict) else kind) | None)
        for key, kind in tree.items()
    ]
    return msgspec.defstruct(name, held, gc=False)


# -------------------------------------------------------------------------------------- values


def _get(column: str) -> Get:
    """The value of a column, None where a relationship on the way leads nowhere."""
    first, *rest = map(attrgetter, column.split("."))
    if not rest:
        return first
    if len(rest) == 1:
        last = rest[0]

        def second(row: Any) -> Any:
            inner = first(row)
            return None if inner is None else last(inner)

        return second

    def walk(row: Any) -> Any:
        at = first(row)
        for step in rest:
            if at is None:
                return None
            at = step(at)
        return at

    return walk


def _text(column: str | None) -> Get:
    if not column:
        return lambda row: None
    get = _get(column)

    def read(row: Any) -> str | None:
        found = get(row)
        return (found.strip() or None) if found else None

    return read


def _required(column: str) -> Get:
    get = _text(column)

    def read(row: Any) -> str:
        found: str | None = get(row)
        if found is None:
            raise _Unfit
        return found

    return read


def _filled(column: str) -> Get:
    """A text, empty where there is none."""
    get = _text(column)
    return lambda row: get(row) or ""


def _body(column: str) -> Get:
    get = _get(column)
    return lambda row: get(row) or ""


def _moment(column: str, needed: bool) -> Get:
    get = _get(column)

    def read(row: Any) -> datetime | None:
        found = get(row)
        if found is None:
            if needed:
                raise _Unfit
            return None
        instant = datetime.fromisoformat(found)
        if instant.tzinfo is None:
            raise _Unfit
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)

    return read


def _coded(words: Mapping[Any, Words], column: str | None, other: str | None) -> Get:
    known: dict[str | None, Any] = {}
    for code, listed in words.items():
        for theirs in listed:
            known.setdefault(theirs, code)
    get = _text(column)
    return lambda row: known.get(get(row)) or other


# ------------------------------------------------------------------------------------- records


def _record(record: type[Any], get: Mapping[str, Get], made: Mapping[str, Make]) -> Make:
    """Makes records. get: of the row alone; made: with the owner, which embedded records need."""
    make, blank = maker(record), template(record)
    plain = list(zip(places(record, list(get)), get.values(), strict=True))
    inner = list(zip(places(record, list(made)), made.values(), strict=True))
    (owners,) = places(record, ["owner"])

    def read(row: Any, owner: AccountRef) -> Any:
        values = blank.copy()
        values[owners] = owner
        for place, reads in plain:
            values[place] = reads(row)
        for place, makes in inner:
            values[place] = makes(row, owner)
        return make(*values)

    return read


def _only(get: Mapping[str, Get], wanted: Fields) -> dict[str, Get]:
    return {name: read for name, read in get.items() if name in wanted}


def _case(settings: Settings, fields: Fields) -> Make:
    wanted, names, values = own(fields), settings.columns.case, settings.values
    details = _body(names.details) if names.details else lambda row: ""
    get = {
        "number": _required(names.number),
        "subject": _filled(names.subject),
        "description": _body(names.description),
        "team": _text(names.team),
        "order_number": _text(names.order_number),
        "category": _coded(values.category, names.category, values.other_category),
        "subcategory": _coded(values.subcategory, names.subcategory, None),
        "created_at": _moment(names.created_at, True),
        "updated_at": _moment(names.updated_at, True),
        "closed_at": _moment(names.closed_at, False) if names.closed_at else lambda row: None,
        "status": _status(settings),
        "details": lambda row: translate.details(details(row)),
        "contact_id": _text("ContactId"),
    }
    made: dict[str, Make] = {}
    if "contact" in wanted:
        made["contact"] = _contact_of_case(settings, inside(fields, "contact"))
        wanted |= {"contact_id"}
    if "account" in wanted:
        made["account"] = _account(settings, inside(fields, "account"), "Account.")
    return _record(Case, {"id": _required("Id"), **_only(get, wanted)}, made)


def _status(settings: Settings) -> Get:
    known = _coded(settings.values.status, settings.columns.case.status, None)
    closed = _get("IsClosed")

    def read(row: Any) -> Any:
        return known(row) or translate.status(settings.values, None, closed(row) is True)

    return read


def _contact_of_case(settings: Settings, fields: Fields) -> Make:
    person, whose = _text("ContactId"), _text("Contact.AccountId")
    contact = _contact(settings, fields)

    def read(row: Any, owner: AccountRef) -> Any:
        if person(row) is None:
            return None
        return contact(row, owner) if whose(row) == owner.id else NOT_FETCHED

    return read


def _contact(settings: Settings, fields: Fields) -> Make:
    wanted, names, at = own(fields), settings.columns.contact, "Contact."

    def text(column: str | None) -> Get:
        return _text(at + column if column else None)

    phone, mobile, language = text(names.phone), text(names.mobile), text(names.locale)
    get = {
        "name": _filled(at + names.name),
        "given_name": text(names.given_name),
        "family_name": text(names.family_name),
        "email": text(names.email),
        "job_title": text(names.job_title),
        "phone": lambda row: phone(row) or mobile(row),
        "locale": lambda row: translate.locale(language(row)),
    }
    made: dict[str, Make] = {}
    if "account" in wanted:
        made["account"] = _account(settings, inside(fields, "account"), at + "Account.")
    return _record(Contact, {"id": _required("ContactId"), **_only(get, wanted)}, made)


def _account(settings: Settings, fields: Fields, at: str) -> Make:
    """The account of a row is its owner: its id stands nowhere in the row but as the owner's."""
    wanted, names = own(fields), settings.columns.account

    def text(column: str | None) -> Get:
        return _text(at + column if column else None)

    country = text(names.country)
    get = {
        "number": text(names.number),
        "name": _filled(at + names.name),
        "tax_id": text(names.tax_id),
        "phone": text(names.phone),
        "country": lambda row: translate.country(settings.values, country(row)),
        "billing_address": _unread,
    }
    return _record(Account, _only(get, wanted), {"id": lambda row, owner: owner.id})


def _unread(row: Any) -> Any:
    """Addresses of many lines are rare beside cases: left to `translate`."""
    raise _Unfit
