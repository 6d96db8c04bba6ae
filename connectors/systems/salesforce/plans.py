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
from typing import Annotated, Any, Final, NoReturn

import msgspec

from connectors.kit.generated import Code
from connectors.kit.memo import Memo
from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.records import Account, Case, Contact
from connectors.port.scope import Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.answers import Reading, Rows
from connectors.systems.salesforce.settings import CaseColumns, Settings, Words
from connectors.systems.salesforce.shapes import Shape, shape
from connectors.systems.salesforce.soql import Columns

#: Plans that are kept: documents ask for few sets of fields, but clients write the documents.
_MOST: Final = 256
#: Values of a picklist that are kept with what they are in our words.
_WORDS: Final = 1_000
_CLOSED: Final = "IsClosed"
_TIME: Final = Annotated[datetime, msgspec.Meta(tz=True)]


class _Unfit(ValueError):
    """The row is not as documented: `translate` has to look at it."""


class _Unplanned(ValueError):
    """Rows of these fields are left to `translate`, all of them."""


class Plan:
    """How to ask for the cases of one set of fields, and how to read them. reading: None where all
    rows are left to `translate`."""

    def __init__(self, settings: Settings, fields: Fields) -> None:
        columns = selection.case(settings.columns, fields)
        self.fields, self.columns = fields, Columns(columns)
        self.reading: Reading | None = None
        try:
            kinds = _kinds(settings.columns.case, columns)
            shaped = shape(kinds)
            self._cases = _Writer(settings, shaped, kinds).cases(fields)
        except ValueError:
            return
        self.reading = Reading(shaped.struct)

    def read(self, pages: Iterable[Rows], scope: Scope) -> list[Case] | None:
        """The cases of the scope; None when a row is not as documented."""
        found: list[Case] = []
        try:
            for page in pages:
                if isinstance(page, msgspec.Raw):
                    return None
                found += self._cases(page, scope.by_id)
        except (ValueError, ArithmeticError):
            return None
        return found


class Plans:
    """The plans of one org."""

    def __init__(self, settings: Settings) -> None:
        def cases(fields: Fields) -> Plan:
            return Plan(settings, fields)

        self.cases = lru_cache(_MOST)(cases)


def _kinds(names: CaseColumns, columns: Iterable[str]) -> dict[str, Any]:
    """What each column holds. One that is asked for as two things has no plan."""
    times = (names.created_at, names.updated_at, names.closed_at)
    kinds: dict[str | None, Any] = {**dict.fromkeys(times, _TIME), _CLOSED: bool}
    return {column: kinds.get(column, str) for column in columns}


# -------------------------------------------------------------------------------------- values


def _unfit() -> NoReturn:
    raise _Unfit


def _codes(words: Mapping[Any, Words], other: Any) -> Memo[str | None, Any]:
    """Our code of each of their values, which are read without the space around them. What nobody
    listed is `other`."""

    def ours(theirs: str | None) -> Any:
        stripped = (theirs.strip() or None) if theirs else None
        return translate.ours(words, stripped) or other

    return Memo(ours, _WORDS)


class _Writer:
    """Writes the function that reads the cases of an answer: expressions of columns, then what is
    made of them. Each expression keeps its column in `t` while it looks at it."""

    def __init__(self, settings: Settings, shaped: Shape, kinds: Mapping[str, Any]) -> None:
        self._settings, self._shape, self._kinds = settings, shaped, kinds
        self._code = Code("rows", "by_id")
        self._unfit = self._code.bound(_unfit)
        self._utc = self._code.bound(UTC)
        #: By the relationships that lead to it, the variable of a struct, and its shape.
        self._at: dict[str, tuple[str, Shape]] = {"": ("row", shaped)}

    def _follow(self, at: str = "") -> None:
        """A variable for what each relationship leads to, even if it is to nothing."""
        holder, shaped = self._at[at]
        for step, inner in shaped.inner.items():
            blank = self._code.bound(inner.blank)
            found = self._code.local(f"{holder}.{shaped.fields[step]} or {blank}")
            self._at[f"{at}{step}."] = (found, inner)
            self._follow(f"{at}{step}.")

    def _get(self, column: str, kind: Any = str) -> str:
        if self._kinds[column] is not kind:
            raise _Unplanned
        at, dot, last = column.rpartition(".")
        holder, shaped = self._at[at + dot]
        return f"{holder}.{shaped.fields[last]}"

    def _text(self, column: str | None, otherwise: str = "None") -> str:
        if not column:
            return otherwise
        return f"((t := {self._get(column)}) and t.strip() or {otherwise})"

    def _required(self, column: str) -> str:
        return self._text(column, f"{self._unfit}()")

    def _filled(self, column: str) -> str:
        return self._text(column, "''")

    def _body(self, column: str | None) -> str:
        return f"({self._get(column)} or '')" if column else "''"

    def _moment(self, column: str | None, otherwise: str = "None") -> str:
        if not column:
            return otherwise
        here = f"(t if t.tzinfo is {self._utc} else t.astimezone({self._utc}))"
        return f"({here} if (t := {self._get(column, _TIME)}) else {otherwise})"

    def _coded(self, words: Mapping[Any, Words], column: str | None, other: Any) -> str:
        if not column:
            return self._code.bound(other)
        return f"{self._code.bound(_codes(words, other))}[{self._get(column)}]"

    def _called(self, function: Callable[[Any], Any], value: str) -> str:
        return f"{self._code.bound(function)}({value})"

    # --------------------------------------------------------------------------------- records

    def cases(self, fields: Fields) -> Callable[..., list[Case]]:
        """Takes rows and what finds an account of the scope by its id."""
        code = self._code
        for name in ("owners", "accounts", "accounts_rows", "contacts", "contacts_rows"):
            code.line(f"{name} = {{}}")
        code.line("found = []")
        with code.block("for row in rows:"):
            key = code.local(self._get(selection.CASE_OWNER))
            code.line(f"owner = owners.get({key})")
            with code.block("if owner is None:"):
                code.line(f"owner = by_id({self._text(selection.CASE_OWNER)})")
                with code.block("if owner is None:"):
                    code.line("continue")
                code.line(f"owners[{key}] = owner")
            self._follow()
            code.line(f"found.append({self._case(fields, key)})")
        code.line("return found")
        return code.function()

    def _case(self, fields: Fields, key: str) -> str:
        wanted, names, values = own(fields), self._settings.columns.case, self._settings.values
        reads: dict[str, Callable[[], str]] = {
            "number": lambda: self._required(names.number),
            "subject": lambda: self._filled(names.subject),
            "description": lambda: self._body(names.description),
            "team": lambda: self._text(names.team),
            "order_number": lambda: self._text(names.order_number),
            "category": lambda: self._coded(values.category, names.category, values.other_category),
            "subcategory": lambda: self._coded(values.subcategory, names.subcategory, None),
            "created_at": lambda: self._moment(names.created_at, f"{self._unfit}()"),
            "updated_at": lambda: self._moment(names.updated_at, f"{self._unfit}()"),
            "closed_at": lambda: self._moment(names.closed_at),
            "status": self._status,
            "details": lambda: self._called(translate.details, self._body(names.details)),
        }
        held = {name: read() for name, read in reads.items() if name in wanted}
        if wanted & {"contact_id", "contact"}:
            held["contact_id"] = self._code.local(self._text("ContactId"))
        if "contact" in wanted:
            held["contact"] = self._contact_of_case(
                inside(fields, "contact"), held["contact_id"], key
            )
        if "account" in wanted:
            of_account = inside(fields, "account")
            held["account"] = self._once(
                "accounts", key, "Account.", lambda: self._account(of_account, "Account.")
            )
        return self._code.record(Case, {"id": self._required("Id"), "owner": "owner", **held})

    def _status(self) -> str:
        words, column = self._settings.values.status, self._settings.columns.case.status
        # Of a status that nobody listed it is at least known whether it is closed.
        closed, open_ = (
            self._code.bound(_codes(words, translate.status(self._settings.values, None, flag)))
            for flag in (True, False)
        )
        flag = self._get(_CLOSED, bool)
        return f"({closed} if {flag} else {open_})[{self._get(column)}]"

    def _once(self, known: str, key: str, at: str, make: Callable[[], str]) -> str:
        """A record that is made once of equal columns: rows of one answer have few accounts and few
        contacts. known: where the text keeps those of this answer; key: what tells them apart."""
        code, (columns, _) = self._code, self._at.get(at, ("None", self._shape))
        found = code.local(f"{known}.get({key})")
        with code.block(f"if {found} is None or {known}_rows[{key}] != {columns}:"):
            code.line(f"{known}[{key}] = {found} = {make()}")
            code.line(f"{known}_rows[{key}] = {columns}")
        return found

    def _contact_of_case(self, fields: Fields, person: str, key: str) -> str:
        code = self._code
        found = code.local("None")
        theirs = self._get("Contact.AccountId")
        same = f"{theirs} == {key} or {self._text('Contact.AccountId')} == owner.id"
        with code.block(f"if {person}:"):
            with code.block(f"if {same}:"):
                made = self._once(
                    "contacts", person, "Contact.", lambda: self._contact(fields, person)
                )
                code.line(f"{found} = {made}")
            with code.block("else:"):
                code.line(f"{found} = {code.bound(NOT_FETCHED)}")
        return found

    def _contact(self, fields: Fields, person: str) -> str:
        wanted, names, at = own(fields), self._settings.columns.contact, "Contact."

        def text(column: str | None) -> str:
            return self._text(column and at + column)

        reads: dict[str, Callable[[], str]] = {
            "name": lambda: self._filled(at + names.name),
            "given_name": lambda: text(names.given_name),
            "family_name": lambda: text(names.family_name),
            "email": lambda: text(names.email),
            "job_title": lambda: text(names.job_title),
            "phone": lambda: f"({text(names.phone)} or {text(names.mobile)})",
            "locale": lambda: self._called(translate.locale, text(names.locale)),
        }
        held = {name: read() for name, read in reads.items() if name in wanted}
        if "account" in wanted:
            held["account"] = self._account(inside(fields, "account"), at + "Account.")
        return self._code.record(Contact, {"id": person, "owner": "owner", **held})

    def _account(self, fields: Fields, at: str) -> str:
        """The account of a row is its owner: its id stands nowhere but as the owner's."""
        wanted, names = own(fields), self._settings.columns.account
        if "billing_address" in wanted:
            raise _Unplanned  # addresses of many lines are rare beside cases

        def text(column: str | None) -> str:
            return self._text(column and at + column)

        def country(theirs: str | None) -> str | None:
            return translate.country(self._settings.values, theirs)

        reads: dict[str, Callable[[], str]] = {
            "number": lambda: text(names.number),
            "name": lambda: self._filled(at + names.name),
            "tax_id": lambda: text(names.tax_id),
            "phone": lambda: text(names.phone),
            "country": lambda: self._called(country, text(names.country)),
        }
        held = {name: read() for name, read in reads.items() if name in wanted}
        return self._code.record(Account, {"id": "owner.id", "owner": "owner", **held})
