"""The query string of a collection, checked as WordPress checks it: all that is wrong at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from urllib.parse import parse_qsl

# The clock of the site, which `date` is told by and dates without a zone are read by.
ZONE: Final = timezone(timedelta(hours=-5))

POST_ORDERS: Final = (
    "author", "date", "id", "include", "modified", "parent", "relevance", "slug",
    "include_slugs", "title",
)  # fmt: skip
TERM_ORDERS: Final = ("id", "include", "name", "slug", "include_slugs", "term_group", "description",
                      "count")  # fmt: skip


class Refusal(Exception):
    """What WordPress answers instead: status, code, message, and more for `data`."""

    def __init__(
        self, status: int, code: str, message: str, more: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more or {}


@dataclass(slots=True)
class Query:
    """Reads parameters one by one and remembers what is wrong with them: see `check`."""

    given: Mapping[str, str]
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)

    def number(self, name: str, default: int, low: int, high: int | None = None) -> int:
        text = self.given.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            self.wrong[name] = ("rest_invalid_type", f"{name} is not of type integer.")
            return default
        value = int(text)
        if value < low or (high is not None and value > high):
            bounds = f"be greater than or equal to {low}"
            if high is not None:
                bounds = f"be between {low} (inclusive) and {high} (inclusive)"
            self.wrong[name] = ("rest_out_of_bounds", f"{name} must {bounds}")
            return default
        return value

    def ids(self, name: str) -> list[int] | None:
        """Numbers between commas or in name[]; None when there are none."""
        texts = self.texts(name)
        if texts is None:
            return None
        for place, text in enumerate(texts):
            if not re.fullmatch(r"-?[0-9]{1,18}", text):
                reason = f"{name}[{place}] is not of type integer."
                self.wrong[name] = ("rest_invalid_type", reason)
                return None
        return [int(text) for text in texts]

    def texts(self, name: str) -> list[str] | None:
        text = self.given.get(name)
        return None if text is None else [one for one in re.split(r"[\s,]+", text) if one]

    def choice(self, name: str, default: str, allowed: Iterable[str]) -> str:
        text = self.given.get(name, default)
        listed = list(allowed)
        if text not in listed:
            names = f"{', '.join(listed[:-1])}, and {listed[-1]}"
            self.wrong[name] = ("rest_not_in_enum", f"{name} is not one of {names}.")
            return default
        return text

    def moment(self, name: str) -> datetime | None:
        """An instant; one without a zone is by the site's clock."""
        text = self.given.get(name)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            self.wrong[name] = ("rest_invalid_date", "Invalid date.")
            return None
        return (found if found.tzinfo else found.replace(tzinfo=ZONE)).astimezone(UTC)

    def check(self) -> None:
        """Raises Refusal 400 that names every parameter that is wrong."""
        if not self.wrong:
            return
        raise Refusal(
            400,
            "rest_invalid_param",
            f"Invalid parameter(s): {', '.join(self.wrong)}",
            {
                "params": {name: reason for name, (_, reason) in self.wrong.items()},
                "details": {
                    name: {"code": code, "message": reason, "data": None}
                    for name, (code, reason) in self.wrong.items()
                },
            },
        )


def query_of(text: str) -> Query:
    """PHP's reading of a query string: the last one counts, `name[]` gathers, `+` is a space."""
    given: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name.endswith("]"):
            base, _, key = name[:-1].partition("[")
            if not key or key.isdigit():
                given[base] = f"{given[base]},{value}" if base in given else value
                continue
        given[name] = value
    return Query(given)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a taxonomy must hold: any of, or all of, or none of some terms."""

    any_of: frozenset[int] | None = None
    all_of: frozenset[int] | None = None
    none_of: frozenset[int] = frozenset()

    def met_by(self, terms: frozenset[int]) -> bool:
        if self.none_of & terms:
            return False
        if self.any_of is not None and not self.any_of & terms:
            return False
        return self.all_of is None or self.all_of <= terms


def demand(query: Query, name: str) -> Demand:
    """`categories=1,2`, `categories[terms]=1,2&categories[operator]=AND`, `categories_exclude`."""
    nested = query.ids(f"{name}[terms]")
    operator = query.choice(f"{name}[operator]", "OR", ("AND", "OR"))
    plain = query.ids(name)
    wanted = frozenset(nested or plain or ()) or None
    excluded = frozenset(query.ids(f"{name}_exclude") or ())
    if operator == "AND" and nested:
        return Demand(all_of=wanted, none_of=excluded)
    return Demand(any_of=wanted, none_of=excluded)
