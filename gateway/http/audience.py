"""Who may look at the schema: from everyone, on a developer's machine, to nobody."""

from __future__ import annotations

from enum import Enum

from connectors.port.errors import SourceError
from schema.context import Caller


class Audience(Enum):
    """Each includes the ones after it."""

    EVERYONE = "everyone"
    SIGNED_IN = "signed-in"
    STAFF = "staff"
    NOBODY = "nobody"

    def includes(self, who: Caller | SourceError | None) -> bool:
        """Whether somebody belongs to it. who: an error for somebody whom the CRM does not name."""
        if self is Audience.EVERYONE:
            return True
        if self is Audience.SIGNED_IN:
            return who is not None
        return self is Audience.STAFF and isinstance(who, Caller) and who.staff
