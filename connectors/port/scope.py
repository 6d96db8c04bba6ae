"""Whose data a question may touch: the one wall between customers, passed with every question.

Service users of CRMs and ERPs see everything, so each question carries the accounts that its asker
may see, and a record can be built only with an `AccountRef` that such a scope handed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One commercial customer, as far as every system can name it.

    id: the key in the system that holds customers. number: the customer number that CRM and ERP
    both know, None where the CRM holds none (such an account has no orders). country: ISO 3166-1
    alpha-2, upper case.
    """

    id: str
    number: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts that the asker may see. Empty is a valid scope that sees nothing.

    Connectors ask the system for `ids` or `numbers` only, and translate each row's own key back
    with `by_id` or `by_number`; None means that the row is not the asker's and must be dropped.
    """

    accounts: tuple[AccountRef, ...]
    _by_id: dict[str, AccountRef] = field(init=False, repr=False, compare=False)
    _by_number: dict[str, AccountRef] = field(init=False, repr=False, compare=False)
    #: Worked out once: every question that is looked up by its scope asks for it.
    _hash: int = field(init=False, repr=False, compare=False)

    def __init__(self, accounts: Iterable[AccountRef] = ()) -> None:
        ordered = tuple(sorted(set(accounts), key=lambda account: account.id))
        object.__setattr__(self, "accounts", ordered)
        object.__setattr__(self, "_by_id", {account.id: account for account in ordered})
        numbered = {account.number: account for account in ordered if account.number}
        object.__setattr__(self, "_by_number", numbered)
        object.__setattr__(self, "_hash", hash(ordered))

    @property
    def ids(self) -> tuple[str, ...]:
        """Keys in the system that holds customers, in a stable order."""
        return tuple(self._by_id)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Customer numbers, in a stable order; accounts without one are left out."""
        return tuple(self._by_number)

    def by_id(self, account_id: str | None) -> AccountRef | None:
        """The account of the scope with this id, None when it is not in the scope."""
        return self._by_id.get(account_id) if account_id else None

    def by_number(self, number: str | None) -> AccountRef | None:
        """The account of the scope with this customer number, None when it is not in the scope."""
        return self._by_number.get(number) if number else None

    def narrowed(self, account_ids: Iterable[str] | None) -> Scope:
        """The part of this scope that is named by ids; foreign ids vanish. None: all of it."""
        if account_ids is None:
            return self
        return Scope(a for a in map(self.by_id, account_ids) if a is not None)

    def __contains__(self, account: object) -> bool:
        return isinstance(account, AccountRef) and account.id in self._by_id

    def __iter__(self) -> Iterator[AccountRef]:
        return iter(self.accounts)

    def __bool__(self) -> bool:
        return bool(self.accounts)

    def __hash__(self) -> int:
        return self._hash
