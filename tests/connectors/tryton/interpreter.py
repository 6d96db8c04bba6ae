"""Says whether a record meets a domain as it travels: JSON, read the way Tryton documents it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.connectors.tryton.like import like


def meets(record: Mapping[str, Any], domain: list[Any]) -> bool:
    """A list of clauses holds when all do; a list that begins with "OR" when one does."""
    if domain and domain[0] == "OR":
        return any(meets(record, part) for part in domain[1:])
    if domain and isinstance(domain[0], str):
        return _clause(record[domain[0]], domain[1], domain[2])
    return all(meets(record, part) for part in domain)


def _clause(held: Any, operator: str, value: Any) -> bool:
    match operator:
        case "=":
            return bool(held == value)
        case "!=":
            return bool(held != value)
        case "in":
            return held in value
        case "not in":
            return held not in value
        case "<":
            return bool(held < value)
        case ">":
            return bool(held > value)
        case "like":
            return like(held, value)
        case "not like":
            return not like(held, value)
        case "ilike":
            return like(held.lower(), value.lower())
    raise AssertionError(operator)
