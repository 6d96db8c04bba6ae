"""The account that a record belongs to, for every kind of record that has one."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.port import records
from connectors.port.fields import Fields
from schema.batched import Answers, embedded_or_asked
from schema.context import Context
from schema.nodes import found

Owned = records.Case | records.Order | records.Contact


def account_of_owned(parents: Sequence[Owned], context: Context, fields: Fields) -> Answers:
    """Embedded where the system gave it, else by id."""
    return embedded_or_asked(
        parents,
        "account",
        lambda parent: parent.owner.id,
        lambda ids: found("Account", context, ids, fields),
    )
