"""Turns what is wanted of a list of orders into conditions, an order, and pages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import cache

from connectors.kit.batching import by_size
from connectors.kit.odata.expressions import Expression, Property, Version, every, some
from connectors.kit.odata.queries import By, Query, term_size
from connectors.port.pages import Keyset
from connectors.port.queries import OrderQuery, OrderSort
from connectors.systems.sap import columns as c
from connectors.systems.sap.keys import normal, written
from connectors.systems.sap.settings import Settings
from connectors.systems.sap.statuses import Known, StatusMap, all_of, any_of

#: Longest PurchaseOrderByCustomer: no longer text is in any.
_REFERENCE_LENGTH = 35
#: For the parentheses and the `and` that tie two chains together.
_TIES = 24


def wanted(
    query: OrderQuery, settings: Settings, statuses: StatusMap, exists: Callable[[str], bool]
) -> Known:
    """The conditions of a list but for its owners and its page: True for none, False when no order
    can meet them."""
    terms: list[Known] = []
    if query.number is not None:
        number = normal(query.number.strip())
        key = None if number is None else written(number, settings.padded_keys)
        terms.append(key is not None and Property(c.KEY).eq(key))
    if query.customer_reference is not None:
        terms.append(_in_reference(query.customer_reference.strip(), settings))
    if query.search is not None and (words := query.search.strip()):
        terms.append(any_of([_in_number(words, settings), _in_reference(words, settings)]))
    if query.ordered_from is not None:
        terms.append(Property(c.ORDERED_ON).ge(query.ordered_from))
    if query.ordered_to is not None:
        terms.append(Property(c.ORDERED_ON).le(query.ordered_to))
    if query.statuses is not None:
        terms.append(statuses.condition(query.statuses, exists))
    return all_of(terms)


def _in_reference(text: str, settings: Settings) -> Known:
    if not text:
        return True
    if len(text) > _REFERENCE_LENGTH:
        return False
    reference = Property(c.REFERENCE)
    if settings.case_insensitive_search:
        return reference.contains(text, upper=True)
    # SAP compares exactly, and Gateway as it is delivered knows no toupper: references are mostly
    # written in capitals, and people search for them in small letters.
    return some(map(reference.contains, dict.fromkeys((text, text.upper(), text.lower()))))


def _in_number(text: str, settings: Settings) -> Known:
    number = normal(text)
    if number is None:
        return False
    whole = Property(c.KEY).eq(written(number, settings.padded_keys))
    if settings.search_in_number == "exact":
        return whole
    part = Property(c.KEY).contains(text)
    # With its zeros a number is no part of what is shown; without them, "0009" would find every 9.
    return part if text == number else some([part, whole])


def well_formed(mark: Keyset | None, sort: OrderSort) -> bool:
    """Whether a place in a list can be one of this order: it was taken from a client."""
    if mark is None:
        return True
    if sort is OrderSort.NUMBER:
        return isinstance(mark.value, str) and normal(mark.value) is not None
    return isinstance(mark.value, date) and normal(mark.id) is not None


def beyond(mark: Keyset | None, sort: OrderSort, *, falling: bool, padded: bool) -> Known:
    """The orders that come after a place, in an order that falls or rises."""
    if mark is None:
        return True
    place = written(normal(mark.id) or "", padded)
    key = Property(c.KEY)
    if sort is OrderSort.NUMBER:
        place = written(normal(str(mark.value)) or "", padded)
        return key.lt(place) if falling else key.gt(place)
    on, last = mark.value, key.lt(place) if falling else key.gt(place)
    day = on.date() if isinstance(on, datetime) else on
    column = Property(c.ORDERED_ON)
    further = column.lt(day) if falling else column.gt(day)
    return any_of([further, all_of([column.eq(day), last])])


@cache
def order_by(sort: OrderSort, *, falling: bool) -> tuple[By, ...]:
    """The columns of a list's order; the number comes last, so that no two places are the same."""
    columns = (c.KEY,) if sort is OrderSort.NUMBER else (c.ORDERED_ON, c.KEY)
    return tuple(By(column, falling) for column in columns)


def one_of(column: str, numbers: Sequence[str], *, padded: bool) -> list[Expression]:
    """A condition for each number, for a chain of `or`."""
    return [Property(column).eq(written(number, padded)) for number in numbers]


def questions(
    make: Callable[[Expression], Query],
    owners: Sequence[Expression],
    keys: Sequence[Expression],
    *,
    version: Version,
    room: int,
    limit: int,
) -> Iterator[Query]:
    """Questions that together ask for every owner's share of every key, each within `room` bytes
    and with at most `limit` conditions in a chain. No keys: all that the owners have.

    make: the question for a condition. A row answers exactly one of the questions.
    """

    def size(term: Expression) -> int:
        return term_size(term, version)

    first = every([*owners[:1], *keys[:1]])
    if first is None:
        return
    if len(owners) < 2 and len(keys) < 2:
        yield make(first)  # there is nothing to divide, however long it is
        return
    spare = room - make(first).size(version) - _TIES
    for of_owners in (
        by_size(owners, size, spare // 2 if keys else spare, limit) if owners else [[]]
    ):
        chain = [some(of_owners)] if of_owners else []
        left = spare - sum(map(size, of_owners))
        for of_keys in by_size(keys, size, left, limit) if keys else [[]]:
            condition = every([*chain, some(of_keys)] if of_keys else chain)
            if condition is not None:
                yield make(condition)
