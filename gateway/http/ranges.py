"""Which part of a file a request asks for, RFC 9110, 14. Pure."""

from __future__ import annotations

import re

_ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE | re.ASCII)


class Unsatisfiable(Exception):
    """A part that the file does not have."""


def asked(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole file: where nothing is asked, and
    where it is asked in a way that is not understood, or for several parts at once. Raises
    Unsatisfiable."""
    found = _ONE.fullmatch(header) if header else None
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        length = int(last)
        if length == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - length), size
    begin = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < begin:
        return None  # that is no range at all
    if begin >= size:
        raise Unsatisfiable
    return begin, end
