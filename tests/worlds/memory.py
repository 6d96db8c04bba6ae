"""How systems in memory behave, honest or careless, and what all of them share.

What differs from record to record comes from the question alone, so that the same question is
answered alike in a world with and without other people's data.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.pages import Keyset, Page, Slice, slice_sorted
from connectors.port.records import (
    Account,
    Contact,
)
from connectors.port.scope import AccountRef, Scope
from tests.worlds.world import Person, World

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Manner:
    """How the systems behave.

    scoped: whether they look at the scope at all. embeds: whether they give embedded records with
    their answers, as far as asked. spare: whether they answer what was asked for and no more.
    trouble: what a method, by its name, raises instead of answering."""

    scoped: bool = True
    embeds: bool = True
    spare: bool = True
    trouble: Mapping[str, Exception] = field(default_factory=dict)


HONEST = Manner()
#: Ignores the scope, answers everything, and adds what nobody asked for.
LEAKY = Manner(scoped=False, spare=False)


class Memory:
    """What all the sources of one world share."""

    def __init__(self, world: World, manner: Manner) -> None:
        self.world, self.manner = world, manner

    def begin(self, method: str) -> None:
        """Raises the trouble that the method is in."""
        if method in self.manner.trouble:
            raise self.manner.trouble[method]

    def owner(self, ref: AccountRef, scope: Scope) -> AccountRef | None:
        """As the CRM tells whose a record is."""
        return scope.by_id(ref.id) if self.manner.scoped else ref

    def buyer(self, ref: AccountRef, scope: Scope) -> AccountRef | None:
        """As the ERP tells whose a record is: it knows numbers alone."""
        return scope.by_number(ref.number) if self.manner.scoped else ref

    def shown(self, record: R, fields: Fields) -> R:
        """The record with what was asked for."""
        if not self.manner.spare:
            return record
        asked = own(fields)
        gone = {
            one.name: NOT_FETCHED
            for one in dataclasses.fields(record)  # type: ignore[arg-type]
            if one.default is NOT_FETCHED and one.name not in asked
        }
        return replace(record, **gone)  # type: ignore[type-var]

    def account(self, key: str, fields: Fields, scope: Scope) -> Account | None:
        account = self.world.accounts.get(key)
        owner = self.owner(account.owner, scope) if account else None
        return replace(self.shown(account, fields), owner=owner) if account and owner else None

    def contact(
        self, person: Person, fields: Fields, scope: Scope, through: AccountRef | None = None
    ) -> Contact | None:
        """through: the account that was asked for its people."""
        direct = person.contact.owner
        owner = through or self.owner(direct, scope)
        if owner is None:
            others = (scope.by_id(key) for key in sorted(person.accounts))
            owner = next((ref for ref in others if ref), None)
        if owner is None:
            return None
        shown = replace(self.shown(person.contact, fields), owner=owner)
        if not self.manner.scoped:
            return replace(shown, account=self.world.accounts.get(direct.id))
        if self.manner.embeds and "account" in own(fields):
            return replace(shown, account=self.account(owner.id, inside(fields, "account"), scope))
        return shown

    def person(self, contact_id: str | None) -> Person | None:
        return next((p for p in self.world.people if p.contact.id == contact_id), None)


def bare(number: str) -> str:
    """A number as people compare it."""
    return number.strip().lstrip("0").casefold()


def holds(words: str, *texts: str | None) -> bool:
    """Whether each word is in one of the texts, whatever its case."""

    def folded(text: str) -> str:
        return unicodedata.normalize("NFC", text).casefold()

    everything = folded(" ".join(text for text in texts if text))
    return all(word in everything for word in folded(words).split())


def listed(
    found: Iterable[R],
    part: Slice,
    name: str,
    descending: bool = False,
    with_total: bool = False,
) -> Page[R]:
    """The part of a list, sorted by an attribute and the id."""

    def key(record: Any) -> Keyset:
        return Keyset(getattr(record, name), record.id)

    def place(record: Any) -> Any:
        return (getattr(record, name), record.id)

    ordered = sorted(found, key=place, reverse=descending)
    return slice_sorted(ordered, part, key, descending=descending, with_total=with_total)


def by_id(rows: Sequence[Any], ids: Sequence[str]) -> list[Any]:
    """Records in the order of ids, None where there is none."""
    known = {row.id: row for row in rows}
    return [known.get(key) for key in ids]
