"""The table [submissions] of portal.toml: how long a customer waits for the CRM, how much is kept
for it, and where unfinished work is written down."""

from __future__ import annotations

from typing import Annotated

import msgspec

_Positive = Annotated[int, msgspec.Meta(ge=1)]


class SubmissionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """answer_seconds: how long a mutation waits for the CRM before it answers that something is on
    its way; less than clients wait. at_once: calls that bring submissions to the CRM at the same
    time. repeat_minutes: for how long the same input of the same caller without a key of its own is
    taken for a repetition. keep_days: how long what is settled is kept, and a rejected case listed.
    most_waiting, most_waiting_per_account: what may wait for the CRM. workflows: the database of
    unfinished work, None for one beside the gateway's own."""

    answer_seconds: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    at_once: _Positive = 4
    repeat_minutes: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    keep_days: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    most_waiting: _Positive = 5_000
    most_waiting_per_account: _Positive = 200
    workflows: str | None = None

    def __repr__(self) -> str:
        # The database's address holds its password.
        return f"SubmissionSettings(answer_seconds={self.answer_seconds!r})"
