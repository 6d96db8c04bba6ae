"""Turns the filters of a question about cases into conditions on columns. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from connectors.port.queries import CaseQuery
from connectors.port.records import CaseStatus
from connectors.port.scope import Scope
from connectors.systems.salesforce.paging import matchable
from connectors.systems.salesforce.selection import CASE_OWNER
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import Condition, either, every, named

#: Conditions that are kept: of a caller with many accounts it is a long one.
_SCOPES: Final = 256


@lru_cache(_SCOPES)
def owned(scope: Scope, column: str = CASE_OWNER) -> Condition:
    """The rows of the scope, which holds at least one account: no question goes without it."""
    return named(column).one_of(scope.ids)


def conditions(query: CaseQuery, settings: Settings) -> list[Condition] | None:
    """Everything that a case must meet but for its place in the list. None: no case can."""
    if not query.scope:
        return None
    found: list[Condition | None] = [owned(query.scope)]
    if query.number is not None:
        found.append(_number(query.number, settings))
    if query.categories is not None:
        found.append(_category(query.categories, settings))
    if query.subcategories is not None:
        found.append(_subcategory(query.subcategories, settings))
    if query.statuses is not None:
        found.append(_status(query.statuses, settings))
    if query.order_numbers is not None:
        found.append(_one_of(settings.columns.case.order_number, matchable(query.order_numbers)))
    created_at = named(settings.columns.case.created_at)
    if query.created_from is not None:
        found.append(created_at.since(query.created_from))
    if query.created_before is not None:
        found.append(created_at.before(query.created_before))
    words = dict.fromkeys((query.search or "").split())
    found += [_word(word, settings) for word in words]
    possible = [condition for condition in found if condition is not None]
    return possible if len(possible) == len(found) else None


def _one_of(column: str | None, values: Iterable[str]) -> Condition | None:
    listed = list(values)
    return named(column).one_of(listed) if column and listed else None


def _number(number: str, settings: Settings) -> Condition | None:
    """People leave out the zeros that the org pads its numbers with."""
    text = number.strip()
    if text.isascii() and text.isdigit():
        text = text.zfill(settings.number_width)
    return _one_of(settings.columns.case.number, matchable([text]))


def _category(codes: Iterable[str], settings: Settings) -> Condition | None:
    asked, words = set(codes), settings.values.category
    column = named(settings.columns.case.category)
    listed = [theirs for code in words if code in asked for theirs in words[code]]
    parts = [column.one_of(listed)] if listed else []
    if settings.values.other_category in asked:
        # What nobody listed reads as this category, so it must be found by it too.
        known = [theirs for group in words.values() for theirs in group]
        parts += [column.equals(None), *([column.none_of(known)] if known else [])]
    return either(*parts) if parts else None


def _subcategory(codes: Iterable[str], settings: Settings) -> Condition | None:
    asked, words = set(codes), settings.values.subcategory
    listed = [theirs for code in words if code in asked for theirs in words[code]]
    return _one_of(settings.columns.case.subcategory, listed)


def _status(statuses: Iterable[CaseStatus], settings: Settings) -> Condition | None:
    asked, words = set(statuses), settings.values.status
    column, closed = named(settings.columns.case.status), named("IsClosed")
    listed = [theirs for status in words if status in asked for theirs in words[status]]
    parts = [column.one_of(listed)] if listed else []
    known = [theirs for group in words.values() for theirs in group]
    for status, flag in ((CaseStatus.CLOSED, True), (CaseStatus.IN_PROGRESS, False)):
        # The same reading of a status that nobody listed as in `translate.status`.
        if status in asked:
            rest = closed.equals(flag)
            parts.append(every(column.none_of(known), rest) if known else rest)
    return either(*parts) if parts else None


def _word(word: str, settings: Settings) -> Condition | None:
    if not matchable([word]):
        return None
    return either(*(named(name).contains(word) for name in settings.columns.case.searched))
