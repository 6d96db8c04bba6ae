"""Record ids: 15 characters that name a record, and the 3 that save them from lost case. Pure."""

from __future__ import annotations

import re
from typing import Final

from sandbox.people import CUSTOMERS, PEOPLE

_FORM: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

# The people of the sandbox have ids that were chosen to be read; their endings are not computed.
_CHOSEN: Final = {
    chosen[:15]: chosen
    for chosen in (*(one.crm_id for one in CUSTOMERS), *(one.crm_id for one in PEOPLE))
}


def full(text: str) -> str | None:
    """The 18 characters for 15 or 18, or None when the text cannot be an id."""
    if not _FORM.fullmatch(text):
        return None
    short = text[:15]
    return _CHOSEN.get(short) or short + _ending(short)


def numbered(prefix: str, number: int) -> str:
    """The id of the n-th record of an object; ids sort as the numbers do."""
    digits = ""
    for _ in range(7):
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    short = f"{prefix}SB000{digits}"
    return short + _ending(short)


def _ending(short: str) -> str:
    """One letter for each five characters: which of them are capitals, read as a binary number."""
    return "".join(
        _SUFFIX[sum(1 << bit for bit in range(5) if short[at + bit].isupper())] for at in (0, 5, 10)
    )
