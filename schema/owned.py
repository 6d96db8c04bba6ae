"""The account that a record belongs to, for every kind of record that has one."""

from __future__ import annotations

from schema.batched import held
from schema.nodes import found

#: Embedded where the system gave it, else by id.
account_of_owned = held(
    "account",
    lambda owned: owned.owner.id,
    lambda context, fields: lambda ids: found("Account", context, ids, fields),
)
