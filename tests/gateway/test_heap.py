"""Memory that was freed is kept where the C library lets itself be told so."""

from __future__ import annotations

import platform

from gateway.heap import keep_freed


def test_the_c_library_takes_the_settings() -> None:
    assert keep_freed() == (platform.libc_ver()[0] == "glibc")
