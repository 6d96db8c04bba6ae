"""Reads a row of an answer by column name; says which column is missing or of another type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from connectors.port.errors import Unreadable
from connectors.systems.salesforce.soql import record_id


@dataclass(frozen=True, slots=True)
class Row:
    """A record as the API answers it. Columns are dotted as in the query: a relationship is a
    nested object there, and null where it leads nowhere. source and operation: for the error."""

    data: Mapping[str, Any]
    source: str
    operation: str

    def value(self, column: str) -> Any:
        """The value, None where the field or a relationship on the way is empty. Raises Unreadable
        when the answer lacks a column that the query asked for."""
        at: Any = self.data
        for step in column.split("."):
            if at is None:
                return None
            if not isinstance(at, dict) or step not in at:
                raise self._error(f"the answer lacks {column}")
            at = at[step]
        return at

    def text(self, column: str) -> str | None:
        """A text without surrounding space, None where it is empty. A number reads as its text."""
        found = self.value(column)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise self._error(f"{column} is no text")
        return str(found).strip() or None

    def body(self, column: str) -> str:
        """A long text as it is, empty where there is none."""
        found = self.value(column)
        if not isinstance(found, str | None):
            raise self._error(f"{column} is no text")
        return found or ""

    def required(self, column: str) -> str:
        """A text that every record has."""
        found = self.text(column)
        if found is None:
            raise self._error(f"{column} is empty")
        return found

    def record(self, column: str, prefix: str) -> str:
        """The id of a record of the object with this key prefix: it may stand in an address."""
        found = self.required(column)
        if record_id(found, prefix) is None:
            raise self._error(f"{column} is no id")
        return found

    def flag(self, column: str) -> bool:
        return self.value(column) is True

    def number(self, column: str) -> int:
        """A whole number, 0 where there is none."""
        found = self.value(column)
        if found is None:
            return 0
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self._error(f"{column} is no number")
        return int(found)

    def instant(self, column: str) -> datetime | None:
        """A time in UTC. The API writes its offset without a colon: +0000."""
        found = self.value(column)
        if found is None:
            return None
        try:
            instant = datetime.fromisoformat(found)
        except (ValueError, TypeError):
            raise self._error(f"{column} is no time") from None
        if instant.utcoffset() is None:
            raise self._error(f"{column} has no offset")
        return instant.astimezone(UTC)

    def moment(self, column: str) -> datetime:
        """A time that every record has."""
        found = self.instant(column)
        if found is None:
            raise self._error(f"{column} is empty")
        return found

    def day(self, column: str) -> date | None:
        found = self.value(column)
        if found is None:
            return None
        try:
            return date.fromisoformat(found)
        except (ValueError, TypeError):
            raise self._error(f"{column} is no date") from None

    def several(self, column: str) -> Sequence[str]:
        """What is chosen in a multi-select picklist, which answers one text with semicolons."""
        return [part.strip() for part in (self.text(column) or "").split(";") if part.strip()]

    def _error(self, message: str) -> Unreadable:
        return Unreadable(self.source, f"{self.operation}: {message}")
