"""What the C library does with memory that was freed: it keeps some, in place of giving it back to
the system at the end of each large answer and asking for it anew at the beginning of the next.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

#: glibc's names for bytes that may lie free at the heap's end, and from which on a block is one of
#: its own, which goes back when it is freed.
_TRIM, _OWN_BLOCK = -1, -3
#: Answers of systems and ours are blocks of a tenth of a megabyte to a few; 32 callers at once hold
#: one or two each.
_SETTINGS: Final = ((_TRIM, 32 * 1024 * 1024), (_OWN_BLOCK, 4 * 1024 * 1024))


def keep_freed() -> bool:
    """Whether the C library has such settings and took them."""
    if sys.platform != "linux":
        return False
    setting = getattr(ctypes.CDLL(None), "mallopt", None)
    return setting is not None and all(setting(name, size) for name, size in _SETTINGS)
