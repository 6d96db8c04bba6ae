"""From what changed to what must not be remembered any more."""

from __future__ import annotations

from collections.abc import Callable

from gateway.sources.cached import Answers
from gateway.sources.freshness import Kind
from gateway.sources.versions import EVERYBODY
from schema.events import Event, What


def listener(answers: Answers) -> Callable[[Event | None], None]:
    """Hears of changes, for `gateway.events.hub.Hub.listen`."""

    def hear(event: Event | None) -> None:
        if event is None:
            answers.changed_elsewhere()
        elif event.what is What.CONTACT_CHANGED:
            # A person may be of several accounts, and stands inside of cases too.
            for kind in (Kind.CONTACTS, Kind.CASES):
                answers.changed(kind, EVERYBODY)
        else:
            answers.changed(Kind.CASES, event.account_id or EVERYBODY)

    return hear
