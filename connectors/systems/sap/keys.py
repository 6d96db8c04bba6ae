"""Document and customer numbers, which SAP keeps with leading zeros and shows without. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.port.scope import AccountRef, Scope

_NUMBER = re.compile(r"[0-9A-Za-z]{1,10}", re.ASCII)


def normal(number: str | None) -> str | None:
    """A number as it is shown: without leading zeros if it is all digits, as SAP's own conversion
    does. None for what is no number of a document or a customer."""
    if not number or _NUMBER.fullmatch(number) is None:
        return None
    return (number.lstrip("0") or None) if number.isdigit() else number


def normal_all(numbers: Iterable[str]) -> list[str]:
    """The well-formed ones among the numbers, each once, in order."""
    return list(dict.fromkeys(n for n in map(normal, numbers) if n is not None))


def written(number: str, padded: bool) -> str:
    """A normal number as it is put into a question: as it is, or with all its zeros."""
    return number.rjust(10, "0") if padded and number.isdigit() else number


class Owners:
    """The customers of a scope by their normal number: a row of any other is not the asker's."""

    def __init__(self, scope: Scope) -> None:
        self._known: dict[str, AccountRef] = {}
        for number in scope.numbers:
            shown, account = normal(number), scope.by_number(number)
            if shown is not None and account is not None:
                self._known.setdefault(shown, account)

    @property
    def numbers(self) -> list[str]:
        """Normal customer numbers, in a stable order; empty when the scope sees no orders."""
        return list(self._known)

    def of(self, number: str | None) -> AccountRef | None:
        """The account with this customer number, with or without its zeros, None if foreign."""
        shown = normal(number)
        return None if shown is None else self._known.get(shown)
